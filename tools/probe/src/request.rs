use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One request, the same for the three architectures.
#[derive(Debug, Clone)]
pub struct Request {
    /// The id the client gave the stream, a UUID: `stream_id` in the body, `sessionId` in GraphQL.
    pub stream_id: String,
    /// The contract's request: `prompt` or `messages`, and optionally `stream_id`, `max_tokens`, `system`.
    pub body: Value,
}

impl Request {
    /// A single question under a new stream id.
    pub fn prompt(prompt: impl Into<String>) -> Self {
        Self::from_fields(Map::from_iter([("prompt".to_owned(), Value::String(prompt.into()))]))
    }

    /// Any fields; the stream id is theirs if they have one, else a new one.
    pub fn from_fields(mut fields: Map<String, Value>) -> Self {
        let given = fields.get("stream_id").and_then(Value::as_str).map(str::to_owned);
        let stream_id = given.unwrap_or_else(|| Uuid::new_v4().to_string());
        fields.insert("stream_id".to_owned(), json!(stream_id));
        Self { stream_id, body: Value::Object(fields) }
    }

    /// A stream that has been asked for.
    pub(crate) fn of_stream(stream_id: &str) -> Self {
        Self { stream_id: stream_id.to_owned(), body: json!({"stream_id": stream_id}) }
    }

    /// The same request with one more field, for example `max_tokens` or `system`.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        if let Value::Object(fields) = &mut self.body {
            fields.insert(field.to_owned(), value.into());
        }
        self
    }

    /// Whether an event belongs to this stream. An event without a stream id is a refusal from before a stream
    /// existed, or a ping; and a body without one leaves the choice of the id to the server.
    pub(crate) fn owns(&self, event: &Value) -> bool {
        let sent = self.body.get("stream_id").and_then(Value::as_str);
        match (event.get("stream_id").and_then(Value::as_str), sent) {
            (Some(theirs), Some(ours)) => theirs == ours,
            (None, _) | (_, None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_gets_a_new_id_each_time_and_given_fields_keep_theirs() {
        let (one, two) = (Request::prompt("a"), Request::prompt("a"));
        assert_ne!(one.stream_id, two.stream_id);
        assert_eq!(one.body["stream_id"], json!(one.stream_id));
        assert!(Uuid::parse_str(&one.stream_id).is_ok());
        let Value::Object(fields) = json!({"prompt": "a", "stream_id": "mine"}) else { unreachable!() };
        let given = Request::from_fields(fields).with("max_tokens", 7);
        assert_eq!(
            (given.stream_id.as_str(), &given.body),
            ("mine", &json!({"prompt": "a", "stream_id": "mine", "max_tokens": 7}))
        );
    }

    #[test]
    fn only_events_that_name_another_stream_are_foreign() {
        let ours = Request::prompt("a");
        let unnamed = Request { stream_id: "x".into(), body: json!({"prompt": "a"}) };
        for (request, event, owned) in [
            (&ours, json!({"type": "delta", "stream_id": ours.stream_id}), true),
            (&ours, json!({"type": "delta", "stream_id": "other"}), false),
            (&ours, json!({"type": "error"}), true),
            (&ours, json!({"type": "error", "stream_id": null}), true),
            (&unnamed, json!({"type": "delta", "stream_id": "the server's"}), true),
        ] {
            assert_eq!(request.owns(&event), owned, "{event}");
        }
    }
}
