use chat::StreamEvent;
use serde_json::{Value, json};

/// Selects every field: AppSync hands subscribers only what the mutation selected
/// (<https://docs.aws.amazon.com/appsync/latest/devguide/aws-appsync-real-time-data.html>).
const PUBLISH_TOKEN: &str = "mutation PublishToken($event: StreamEventInput!) { publishToken(event: $event) { \
    sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs \
    code message retryable } }";

/// The body of the GraphQL request that publishes an event to its owner.
pub(crate) fn publish_token(event: &StreamEvent, session_id: &str, owner: &str) -> Vec<u8> {
    let mut fields = fields(event);
    fields["sessionId"] = session_id.into();
    fields["owner"] = owner.into();
    let body = json!({"query": PUBLISH_TOKEN, "variables": {"event": fields}});
    serde_json::to_vec(&body).expect("a JSON value always serializes")
}

fn fields(event: &StreamEvent) -> Value {
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
        StreamEvent::Error { seq, error, .. } => json!({
            "type": "ERROR",
            "seq": seq,
            "code": error.code.as_str(),
            "message": error.message,
            "retryable": error.code.is_retryable(),
        }),
    }
}
