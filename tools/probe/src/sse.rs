//! Server-sent events, incrementally: bytes may be split anywhere.
//!
//! Of <https://html.spec.whatwg.org/multipage/server-sent-events.html> what the function uses: `id`, `data` and
//! comments. Other fields are ignored, as the standard wants; `event` and `retry` have no meaning in the contract.

/// Far above the 64 KiB of a request and any delta; a server that never ends a line must not fill the memory.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// One thing that the server said. `bytes` is its size with field names and line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Event { id: Option<String>, data: String, bytes: usize },
    Comment { bytes: usize },
}

/// The bytes are no server-sent events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    #[error("a server-sent event is larger than {MAX_EVENT_BYTES} bytes")]
    TooLarge,
    #[error("a server-sent event is not UTF-8")]
    NotUtf8,
}

/// Feed it bytes in any portions. An event that the stream's end cuts off is never reported.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The data lines so far, each ended by `\n`.
    data: Vec<u8>,
    id: Option<Vec<u8>>,
    bytes: usize,
    after_cr: bool,
}

impl Parser {
    pub fn push(&mut self, portion: &[u8]) -> Result<Vec<Frame>, SseError> {
        let mut frames = Vec::new();
        for &byte in portion {
            self.bytes += 1;
            // CR, LF and CRLF each end a line; the LF of a CRLF may come in a later portion.
            let ends_line = byte == b'\r' || (byte == b'\n' && !self.after_cr);
            let continues_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            if ends_line {
                frames.extend(self.end_line()?);
            } else if !continues_crlf {
                self.line.push(byte);
            }
            if self.line.len() + self.data.len() > MAX_EVENT_BYTES {
                return Err(SseError::TooLarge);
            }
        }
        Ok(frames)
    }

    fn end_line(&mut self) -> Result<Option<Frame>, SseError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.end_event();
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"" => return Ok(Some(Frame::Comment { bytes: std::mem::take(&mut self.bytes) })),
            b"id" => self.id = Some(value.to_vec()),
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Result<Option<Frame>, SseError> {
        let (id, mut data) = (self.id.take(), std::mem::take(&mut self.data));
        // Without data there is no event: the blank line after a comment, for one.
        if data.pop().is_none() {
            return Ok(None);
        }
        let text = |bytes| String::from_utf8(bytes).map_err(|_| SseError::NotUtf8);
        let bytes = std::mem::take(&mut self.bytes);
        Ok(Some(Frame::Event { id: id.map(text).transpose()?, data: text(data)?, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as `id=data` or `:`, whatever the portions.
    fn parse(portions: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let frames = portions.iter().flat_map(|portion| parser.push(portion).expect("valid"));
        frames
            .map(|frame| match frame {
                Frame::Event { id, data, .. } => format!("{}={data}", id.unwrap_or_default()),
                Frame::Comment { .. } => ":".to_owned(),
            })
            .collect()
    }

    #[test]
    fn every_split_of_every_case_gives_the_same_frames() {
        for (stream, expected) in [
            ("id: 0\ndata: {\"a\":1}\n\nid: 1\ndata: é🦀\n\n", &["0={\"a\":1}", "1=é🦀"][..]),
            ("id: 0\r\ndata: x\r\n\r\n: ping\r\n\r\nid: 1\r\ndata: y\r\n\r\n", &["0=x", ":", "1=y"]),
            ("id: 0\rdata: x\r\r", &["0=x"]),
            ("data:no space\n\ndata:  two\n\n", &["=no space", "= two"]),
            ("data: a\ndata: b\n\n", &["=a\nb"]),
            ("data\n\n", &["="]),
            (":\n\n:ping\n\n", &[":", ":"]),
            ("event: x\nretry: 1\nnonsense\ndata: y\n\n", &["=y"]),
            ("id: 7\n\ndata: the id went with its event\n\n", &["=the id went with its event"]),
            ("data: cut off\n", &[]),
            ("\n\n\r\n", &[]),
        ] {
            let bytes = stream.as_bytes();
            for split in 0..=bytes.len() {
                assert_eq!(parse(&[&bytes[..split], &bytes[split..]]), expected, "{stream:?} at {split}");
            }
            assert_eq!(parse(&bytes.chunks(1).collect::<Vec<_>>()), expected, "{stream:?} byte by byte");
        }
    }

    #[test]
    fn sizes_add_up_and_broken_streams_are_refused() {
        let stream = b": ping\n\ndata: x\n\nid: 1\ndata: y\n\n";
        let sizes = Parser::default().push(stream).expect("valid").into_iter().map(|frame| match frame {
            Frame::Event { bytes, .. } | Frame::Comment { bytes } => bytes,
        });
        assert_eq!(sizes.sum::<usize>(), stream.len());
        assert_eq!(Parser::default().push(b"data: \xff\n\n"), Err(SseError::NotUtf8));
        assert_eq!(Parser::default().push(&vec![b'x'; MAX_EVENT_BYTES + 1]), Err(SseError::TooLarge));
    }
}
