//! An event as appsync-worker publishes it, handed on as AppSync does, and read as a client does.

use appsync_worker::mutation::publish_token;
use chat::StreamEvent;
use serde_json::{Map, Value, json};

use crate::answer::{STREAM_ID, events, json_of};

pub(crate) fn run(data: &[u8]) {
    let (_, events) = events(data);
    let owner: String = String::from_utf8_lossy(data).chars().take(40).collect();
    for event in &events {
        check(event, &owner);
    }
}

fn check(event: &StreamEvent, owner: &str) {
    let fields = published(&publish_token(event, STREAM_ID, owner));
    assert_eq!(fields["sessionId"], STREAM_ID);
    assert_eq!(fields["owner"], owner, "the subscription's filter compares it");
    let frame =
        json!({"type": "data", "id": "1", "payload": {"data": {"onTokenReceived": fields}}}).to_string();
    let frame: Value = serde_json::from_str(&frame).expect("a frame is JSON");
    assert_eq!(probe::appsync::contract(&frame["payload"]).ok(), Some(json_of(event)), "{frame}");
}

/// What subscribers get: the fields that the mutation selects, null where nothing was given.
fn published(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).expect("a GraphQL request is JSON");
    let given = body["variables"]["event"].as_object().expect("the event");
    let query = body["query"].as_str().expect("the query");
    let selection = query.rsplit('{').next().unwrap_or_default().trim_end_matches([' ', '}']);
    let selected: Map<String, Value> = selection
        .split_whitespace()
        .map(|name| (name.to_owned(), given.get(name).cloned().unwrap_or_default()))
        .collect();
    assert!(given.keys().all(|name| selected.contains_key(name)), "a field is published and not selected");
    Value::Object(selected)
}
