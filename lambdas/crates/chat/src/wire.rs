//! The one place where a [`StreamEvent`] meets serde.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, StopReason, StreamEvent, StreamId, Timing, Usage};

/// The event as the JSON object that crosses the wire, on one line.
pub fn to_json(event: &StreamEvent) -> String {
    serde_json::to_string(&WireEvent::from(event)).expect("strings and numbers always serialize")
}

/// Appends what [`to_json`] returns.
pub fn write_json(event: &StreamEvent, to: &mut Vec<u8>) {
    serde_json::to_writer(to, &WireEvent::from(event)).expect("strings and numbers always serialize");
}

/// JSON that is no event of the contract. Says where and not what: the text could be an answer's.
#[derive(Debug, thiserror::Error)]
pub enum NotAnEvent {
    #[error("not the JSON of an event (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the event has no valid `{0}`")]
    Field(&'static str),
}

/// The way back of [`to_json`].
pub fn from_json(json: &str) -> Result<StreamEvent, NotAnEvent> {
    let event: WireEvent<'_> = serde_json::from_str(json)
        .map_err(|error| NotAnEvent::NotJson { line: error.line(), column: error.column() })?;
    event.try_into()
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

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireEvent<'a> {
    Start {
        #[serde(borrow)]
        stream_id: Cow<'a, str>,
        seq: u64,
        model: Cow<'a, str>,
    },
    Delta {
        stream_id: Cow<'a, str>,
        seq: u64,
        text: Cow<'a, str>,
    },
    Ping {
        #[serde(skip_serializing_if = "Option::is_none")]
        stream_id: Option<Cow<'a, str>>,
    },
    Done {
        stream_id: Cow<'a, str>,
        seq: u64,
        stop_reason: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<WireUsage>,
        timing: WireTiming,
    },
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        stream_id: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        code: Cow<'a, str>,
        message: Cow<'a, str>,
        retryable: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
}

#[derive(Serialize, Deserialize)]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize, Deserialize)]
struct WireTiming {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u64>,
    total_ms: u64,
}

impl<'a> From<&'a StreamEvent> for WireEvent<'a> {
    fn from(event: &'a StreamEvent) -> Self {
        match event {
            StreamEvent::Start { stream_id, seq, model } => {
                Self::Start { stream_id: stream_id.as_str().into(), seq: *seq, model: (&**model).into() }
            }
            StreamEvent::Delta { stream_id, seq, text } => {
                Self::Delta { stream_id: stream_id.as_str().into(), seq: *seq, text: text.into() }
            }
            StreamEvent::Ping { stream_id } => Self::Ping { stream_id: written(stream_id.as_ref()) },
            StreamEvent::Done { stream_id, seq, stop_reason, usage, timing } => Self::Done {
                stream_id: stream_id.as_str().into(),
                seq: *seq,
                stop_reason: stop_reason.as_str().into(),
                usage: usage
                    .map(|Usage { input_tokens, output_tokens }| WireUsage { input_tokens, output_tokens }),
                timing: WireTiming { first_token_ms: timing.first_token_ms, total_ms: timing.total_ms },
            },
            StreamEvent::Error { stream_id, seq, error } => Self::Error {
                stream_id: written(stream_id.as_ref()),
                seq: *seq,
                code: error.code.as_str().into(),
                message: (&error.message).into(),
                retryable: error.code.is_retryable(),
                retry_after: error.retry_after,
            },
        }
    }
}

impl TryFrom<WireEvent<'_>> for StreamEvent {
    type Error = NotAnEvent;

    fn try_from(event: WireEvent<'_>) -> Result<Self, NotAnEvent> {
        Ok(match event {
            WireEvent::Start { stream_id, seq, model } => {
                Self::Start { stream_id: id(&stream_id)?, seq, model: model.into() }
            }
            WireEvent::Delta { stream_id, seq, text } => {
                Self::Delta { stream_id: id(&stream_id)?, seq, text: text.into_owned() }
            }
            WireEvent::Ping { stream_id } => {
                Self::Ping { stream_id: stream_id.as_deref().map(id).transpose()? }
            }
            WireEvent::Done { stream_id, seq, stop_reason, usage, timing } => Self::Done {
                stream_id: id(&stream_id)?,
                seq,
                stop_reason: StopReason::parse(&stop_reason).ok_or(NotAnEvent::Field("stop_reason"))?,
                usage: usage
                    .map(|WireUsage { input_tokens, output_tokens }| Usage { input_tokens, output_tokens }),
                timing: Timing { first_token_ms: timing.first_token_ms, total_ms: timing.total_ms },
            },
            // `retryable` follows from the code.
            WireEvent::Error { stream_id, seq, code, message, retryable: _, retry_after } => Self::Error {
                stream_id: stream_id.as_deref().map(id).transpose()?,
                seq,
                error: Error {
                    code: ErrorCode::parse(&code).ok_or(NotAnEvent::Field("code"))?,
                    message: message.into_owned(),
                    retry_after,
                },
            },
        })
    }
}

fn written(stream_id: Option<&StreamId>) -> Option<Cow<'_, str>> {
    stream_id.map(|id| id.as_str().into())
}

fn id(text: &str) -> Result<StreamId, NotAnEvent> {
    StreamId::parse(text).ok_or(NotAnEvent::Field("stream_id"))
}
