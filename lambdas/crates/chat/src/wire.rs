//! The one place where a [`StreamEvent`] meets serde.

use serde::Serialize;

use crate::StreamEvent;

/// The event as the JSON object that crosses the wire, on one line.
pub fn to_json(event: &StreamEvent) -> String {
    serde_json::to_string(&WireEvent::from(event)).expect("strings and numbers always serialize")
}

/// How many bytes `text` takes inside a JSON string as `to_json` writes it.
pub fn json_len(text: &str) -> usize {
    text.bytes().map(json_byte_len).sum()
}

/// The longest prefix of `text`, cut on a character boundary, that takes at most `budget` bytes inside a JSON
/// string. At least one character, so that cutting makes progress.
pub fn split_at_json_len(text: &str, budget: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += json_len(character.encode_utf8(&mut [0; 4]));
        if used > budget && at > 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// `serde_json` writes two bytes for the characters with a short escape, `\u00XX` for the other control
/// characters (RFC 8259, section 7), and everything else as it is.
fn json_byte_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..=0x1f => 6,
        _ => 1,
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireEvent<'a> {
    Start {
        stream_id: &'a str,
        seq: u64,
        model: &'a str,
    },
    Delta {
        stream_id: &'a str,
        seq: u64,
        text: &'a str,
    },
    Ping {
        #[serde(skip_serializing_if = "Option::is_none")]
        stream_id: Option<&'a str>,
    },
    Done {
        stream_id: &'a str,
        seq: u64,
        stop_reason: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<WireUsage>,
        timing: WireTiming,
    },
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        stream_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        code: &'a str,
        message: &'a str,
        retryable: bool,
    },
}

#[derive(Serialize)]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize)]
struct WireTiming {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u64>,
    total_ms: u64,
}

impl<'a> From<&'a StreamEvent> for WireEvent<'a> {
    fn from(event: &'a StreamEvent) -> Self {
        match event {
            StreamEvent::Start { stream_id, seq, model } => {
                Self::Start { stream_id: stream_id.as_str(), seq: *seq, model }
            }
            StreamEvent::Delta { stream_id, seq, text } => {
                Self::Delta { stream_id: stream_id.as_str(), seq: *seq, text }
            }
            StreamEvent::Ping { stream_id } => {
                Self::Ping { stream_id: stream_id.as_ref().map(crate::StreamId::as_str) }
            }
            StreamEvent::Done { stream_id, seq, stop_reason, usage, timing } => Self::Done {
                stream_id: stream_id.as_str(),
                seq: *seq,
                stop_reason: stop_reason.as_str(),
                usage: usage.map(|usage| WireUsage {
                    input_tokens: usage.input_tokens,
                    output_tokens: usage.output_tokens,
                }),
                timing: WireTiming { first_token_ms: timing.first_token_ms, total_ms: timing.total_ms },
            },
            StreamEvent::Error { stream_id, seq, error } => Self::Error {
                stream_id: stream_id.as_ref().map(crate::StreamId::as_str),
                seq: *seq,
                code: error.code.as_str(),
                message: &error.message,
                retryable: error.code.is_retryable(),
            },
        }
    }
}
