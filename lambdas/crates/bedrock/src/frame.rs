//! Frames of `application/vnd.amazon.eventstream`
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>), read where they lie: a token's frame is read without a copy or an
//! allocation.

use bytes::{Buf as _, BytesMut};

/// Two lengths and their checksum.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// The longest frame and the longest headers that the format allows.
const MAX_FRAME: usize = 16 * 1024 * 1024;
const MAX_HEADERS: usize = 128 * 1024;

/// The frames of a body that comes in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What is no whole frame yet, most times nothing.
    buffer: BytesMut,
}

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) payload: &'a [u8],
}

/// By its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// `:event-type`.
    Event(&'a str),
    /// `:exception-type`: an error of the API, with a payload that says more.
    Exception(&'a str),
    /// `:error-code` and `:error-message`: an error that the API does not know.
    Error { code: &'a str, message: &'a str },
}

/// What cannot be read. The stream has no later point at which reading could begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    #[error("a frame's checksum is wrong")]
    Checksum,
    #[error("a frame's lengths are not possible")]
    Length,
    #[error("a frame's headers cannot be read")]
    Headers,
}

impl Frames {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// What `read` makes of the next frame, if all of it is there.
    pub(crate) fn next<T>(&mut self, read: impl FnOnce(Message<'_>) -> T) -> Result<Option<T>, BadFrame> {
        let Some((message, len)) = first(&self.buffer)? else { return Ok(None) };
        let result = read(message);
        self.buffer.advance(len);
        Ok(Some(result))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// The first frame of `bytes`, and its length.
fn first(bytes: &[u8]) -> Result<Option<(Message<'_>, usize)>, BadFrame> {
    let Some((prelude, _)) = bytes.split_first_chunk::<PRELUDE>() else { return Ok(None) };
    let [len, headers_len] = [word(prelude), word(&prelude[4..])].map(|word| word as usize);
    // Checked before the rest is waited for, which might be for ever.
    if crc32fast::hash(&prelude[..8]) != word(&prelude[8..]) {
        return Err(BadFrame::Checksum);
    }
    if len > MAX_FRAME || headers_len > MAX_HEADERS || len < PRELUDE + headers_len + CHECKSUM {
        return Err(BadFrame::Length);
    }
    let Some(frame) = bytes.get(..len) else { return Ok(None) };
    let (content, checksum) = frame.split_at(len - CHECKSUM);
    if crc32fast::hash(content) != word(checksum) {
        return Err(BadFrame::Checksum);
    }
    let (headers, payload) = content[PRELUDE..].split_at(headers_len);
    let kind = kind(headers).ok_or(BadFrame::Headers)?;
    Ok(Some((Message { kind, payload }, len)))
}

fn kind(mut headers: &[u8]) -> Option<Kind<'_>> {
    let (mut message_type, mut name, mut message) = (None, None, "");
    while !headers.is_empty() {
        let (header, value) = header(&mut headers)?;
        match header {
            b":message-type" => message_type = Some(value?),
            b":event-type" | b":exception-type" | b":error-code" => name = Some(value?),
            b":error-message" => message = value?,
            _ => {}
        }
    }
    match message_type? {
        "event" => name.map(Kind::Event),
        "exception" => name.map(Kind::Exception),
        "error" => Some(Kind::Error { code: name.unwrap_or_default(), message }),
        _ => None,
    }
}

/// Takes the first header off: its name, and its value if that is a string.
fn header<'a>(headers: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a str>)> {
    let name_len = take(headers, 1)?[0];
    let name = take(headers, name_len.into())?;
    let value_type = take(headers, 1)?[0];
    let len = match value_type {
        // True and false.
        0 | 1 => 0,
        // Integers of 1, 2, 4 and 8 bytes; the last is a time, too.
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        // Bytes and strings.
        6 | 7 => {
            let len = take(headers, 2)?;
            u16::from_be_bytes([len[0], len[1]]).into()
        }
        // A UUID.
        9 => 16,
        _ => return None,
    };
    let value = take(headers, len)?;
    Some((name, if value_type == 7 { str::from_utf8(value).ok() } else { None }))
}

fn take<'a>(from: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = from.split_at_checked(len)?;
    *from = tail;
    Some(head)
}

/// Of the first four bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |word, byte| word << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests;
