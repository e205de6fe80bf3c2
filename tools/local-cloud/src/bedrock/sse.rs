//! Server-sent events, read as they come (WHATWG HTML, "Interpreting an event stream"; lines end with LF or
//! CRLF). Only `data` matters to an OpenAI-compatible stream.

/// A line longer than this is no answer but an attack on memory.
const MAX_LINE: usize = 1024 * 1024;

#[derive(Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    data: Option<String>,
}

/// The stream is not one of events.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stream of server-sent events")]
pub(super) struct NotEvents;

impl EventReader {
    /// The data of the events that these bytes complete. Bytes may be cut anywhere, inside a character too.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, NotEvents> {
        let mut events = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + part.len() > MAX_LINE {
                return Err(NotEvents);
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                events.extend(self.end_line(&line)?);
            }
        }
        Ok(events)
    }

    /// What the last event says if the blank line after it is missing, as some servers leave it out.
    pub(super) fn finish(&mut self) -> Result<Option<String>, NotEvents> {
        let line = std::mem::take(&mut self.line);
        self.end_line(&line)?;
        Ok(self.data.take())
    }

    fn end_line(&mut self, line: &[u8]) -> Result<Option<String>, NotEvents> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| NotEvents)?;
        if line.is_empty() {
            return Ok(self.data.take());
        }
        if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                Some(data) if data.len() + value.len() > MAX_LINE => return Err(NotEvents),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let stream = ": hello\r\ndata: {\"a\":\"ü🦀\"}\r\n\r\nevent: x\nid: 1\ndata:b\ndata: c\n\n\n\ndata: [DONE]\n\n";
        let expected = ["{\"a\":\"ü🦀\"}", "b\nc", "[DONE]"];
        for size in 1..=stream.len() {
            let mut reader = EventReader::default();
            let events: Vec<String> =
                stream.as_bytes().chunks(size).flat_map(|bytes| reader.push(bytes).unwrap()).collect();
            assert_eq!(events, expected, "{size}");
            assert_eq!(reader.finish(), Ok(None));
        }
    }

    #[test]
    fn an_unfinished_event_is_read_at_the_end_and_other_bytes_are_refused() {
        let mut reader = EventReader::default();
        assert_eq!(reader.push(b"data: [DONE]"), Ok(vec![]));
        assert_eq!(reader.finish(), Ok(Some("[DONE]".to_owned())));
        assert_eq!(EventReader::default().push(b"data: \xff\n\n"), Err(NotEvents));
        assert_eq!(EventReader::default().push(&vec![b'x'; MAX_LINE + 1]), Err(NotEvents));
    }
}
