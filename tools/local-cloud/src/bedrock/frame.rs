//! The frames of `ConverseStreamOutput` (`application/vnd.amazon.eventstream`).

use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use serde_json::{Value, json};

/// Tokens, as the model's own tokenizer counts them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
}

pub(super) fn message_start() -> Bytes {
    event("messageStart", &json!({"role": "assistant"}))
}

/// Text has no `contentBlockStart`: Bedrock sends one for tools only.
pub(super) fn text(block: u32, text: &str) -> Bytes {
    event("contentBlockDelta", &json!({"contentBlockIndex": block, "delta": {"text": text}}))
}

pub(super) fn reasoning(block: u32, text: &str) -> Bytes {
    let delta = json!({"reasoningContent": {"text": text}});
    event("contentBlockDelta", &json!({"contentBlockIndex": block, "delta": delta}))
}

pub(super) fn content_block_stop(block: u32) -> Bytes {
    event("contentBlockStop", &json!({"contentBlockIndex": block}))
}

pub(super) fn message_stop(reason: &str) -> Bytes {
    event("messageStop", &json!({"stopReason": reason}))
}

/// The last frame. A model server that does not count leaves `usage` out.
pub(super) fn metadata(usage: Option<Usage>, latency: Duration) -> Bytes {
    let mut payload =
        json!({"metrics": {"latencyMs": u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)}});
    if let Some(Usage { input, output }) = usage {
        payload["usage"] = json!({
            "inputTokens": input,
            "outputTokens": output,
            "totalTokens": input.saturating_add(output),
        });
    }
    event("metadata", &payload)
}

/// Ends the stream; `kind` is such as `modelStreamErrorException`.
pub(super) fn exception(kind: &str, message: &str) -> Bytes {
    encode("exception", ":exception-type", kind, &json!({"message": message}))
}

/// The same frame, but for its last byte: a frame ends with the checksum of all that is before it.
pub(super) fn with_bad_checksum(frame: &Bytes) -> Bytes {
    let mut bytes = frame.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

fn event(kind: &str, payload: &Value) -> Bytes {
    encode("event", ":event-type", kind, payload)
}

fn encode(message_type: &str, kind_header: &'static str, kind: &str, payload: &Value) -> Bytes {
    let header =
        |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let headers = vec![
        header(kind_header, kind),
        header(":content-type", "application/json"),
        header(":message-type", message_type),
    ];
    let mut buffer = Vec::new();
    write_message_to(&Message::new_from_parts(headers, payload.to_string()), &mut buffer)
        .expect("short headers and a payload below 16 MB");
    buffer.into()
}
