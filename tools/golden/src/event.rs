use chat::{Error, ErrorCode, StopReason, StreamEvent, StreamId, Timing, Usage};
use serde::Deserialize;
use serde_json::Value;

/// The event behind its JSON: the way back of `chat::wire`, which no function needs.
pub fn event(json: &Value) -> StreamEvent {
    let read: Golden =
        Deserialize::deserialize(json).unwrap_or_else(|error| panic!("{json} is not an event: {error}"));
    match read {
        Golden::Start { stream_id, seq, model } => {
            StreamEvent::Start { stream_id: id(&stream_id), seq, model: model.into() }
        }
        Golden::Delta { stream_id, seq, text } => StreamEvent::Delta { stream_id: id(&stream_id), seq, text },
        Golden::Ping { stream_id } => StreamEvent::Ping { stream_id: stream_id.as_deref().map(id) },
        Golden::Done { stream_id, seq, stop_reason, usage, timing } => StreamEvent::Done {
            stream_id: id(&stream_id),
            seq,
            stop_reason: named(&stop_reason, &StopReason::ALL, StopReason::as_str),
            usage: usage
                .map(|GoldenUsage { input_tokens, output_tokens }| Usage { input_tokens, output_tokens }),
            timing: Timing { first_token_ms: timing.first_token_ms, total_ms: timing.total_ms },
        },
        Golden::Error { stream_id, seq, code, message, retryable } => {
            let error = Error::new(named(&code, &ErrorCode::ALL, ErrorCode::as_str), message);
            assert_eq!(error.code.is_retryable(), retryable, "`retryable` of {code}");
            StreamEvent::Error { stream_id: stream_id.as_deref().map(id), seq, error }
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Golden {
    Start {
        stream_id: String,
        seq: u64,
        model: String,
    },
    Delta {
        stream_id: String,
        seq: u64,
        text: String,
    },
    Ping {
        stream_id: Option<String>,
    },
    Done {
        stream_id: String,
        seq: u64,
        stop_reason: String,
        usage: Option<GoldenUsage>,
        timing: GoldenTiming,
    },
    Error {
        stream_id: Option<String>,
        seq: Option<u64>,
        code: String,
        message: String,
        retryable: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenUsage {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenTiming {
    first_token_ms: Option<u64>,
    total_ms: u64,
}

fn id(text: &str) -> StreamId {
    StreamId::parse(text).unwrap_or_else(|| panic!("{text} is not a stream id"))
}

fn named<T: Copy>(name: &str, all: &[T], name_of: fn(T) -> &'static str) -> T {
    let found = all.iter().copied().find(|&candidate| name_of(candidate) == name);
    found.unwrap_or_else(|| panic!("the contract has no {name}"))
}
