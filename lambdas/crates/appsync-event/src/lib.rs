//! An event of the stream contract as fields of the GraphQL type `StreamEvent`, published and read back.

#![forbid(unsafe_code)]

use chat::StreamEvent;
use serde_json::{Value, json};

/// The event's fields, for the session that it belongs to and the user who may hear it.
pub fn fields(event: &StreamEvent, session_id: &str, owner: &str) -> Value {
    let mut fields = own_fields(event);
    fields["sessionId"] = session_id.into();
    fields["owner"] = owner.into();
    fields
}

fn own_fields(event: &StreamEvent) -> Value {
    match event {
        StreamEvent::Start { seq, model, .. } => json!({"type": "START", "seq": seq, "model": **model}),
        StreamEvent::Delta { seq, text, .. } => json!({"type": "DELTA", "seq": seq, "text": text}),
        StreamEvent::Ping { .. } => json!({"type": "PING"}),
        StreamEvent::Done { seq, stop_reason, usage, timing, .. } => json!({
            "type": "DONE",
            "seq": seq,
            "stopReason": stop_reason.as_str(),
            "inputTokens": usage.map(|usage| usage.input_tokens),
            "outputTokens": usage.map(|usage| usage.output_tokens),
            "firstTokenMs": timing.first_token_ms,
            "totalMs": timing.total_ms,
        }),
        // When to come back is told to whoever is refused, in `errorInfo`; no event of a stream has it.
        StreamEvent::Error { seq, error, .. } => json!({
            "type": "ERROR",
            "seq": seq,
            "code": error.code.as_str(),
            "message": error.message,
            "retryable": error.code.is_retryable(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_the_fields_of_the_golden_file() {
        for case in golden::events() {
            let Some(mut expected) = case.graphql.clone() else {
                let is_of_a_stream = case.json.get("stream_id").is_some();
                let is_of_a_refusal = case.json.get("retry_after").is_some();
                assert!(!is_of_a_stream || is_of_a_refusal, "{} could be published", case.name);
                continue;
            };
            expected["sessionId"] = "session".into();
            expected["owner"] = "ann".into();
            assert_eq!(fields(&case.event(), "session", "ann"), expected, "{}", case.name);
        }
    }
}
