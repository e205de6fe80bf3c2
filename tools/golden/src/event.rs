use chat::{StreamEvent, wire};
use serde_json::Value;

/// The event behind its JSON.
pub fn event(json: &Value) -> StreamEvent {
    let event =
        wire::from_json(&json.to_string()).unwrap_or_else(|error| panic!("{json} is not an event: {error}"));
    // A field that was passed over would be a promise that nobody checks.
    assert_eq!(serde_json::from_str::<Value>(&wire::to_json(&event)).unwrap(), *json);
    event
}
