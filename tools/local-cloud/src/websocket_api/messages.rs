//! Route selection (`$request.body.action`) and the two integrations behind it.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::{
    Api,
    connection::{Connection, Outbound},
    events,
};

const DEFAULT: &str = "$default";
const STREAM: &str = "stream";

pub(super) async fn text(api: Arc<Api>, connection: Arc<Connection>, body: Utf8Bytes) {
    if selects_stream(&body) {
        stream(&api, &connection, &body).await;
    } else {
        default(&api, &connection, &body, false).await;
    }
}

/// A binary message has no body to select a route by.
pub(super) async fn binary(api: Arc<Api>, connection: Arc<Connection>, body: Bytes) {
    default(&api, &connection, &BASE64_STANDARD.encode(body), true).await;
}

fn selects_stream(body: &str) -> bool {
    let body: Option<Value> = serde_json::from_str(body).ok();
    body.is_some_and(|body| body.get("action").and_then(Value::as_str) == Some(STREAM))
}

/// Non-proxy, `X-Amz-Invocation-Type: 'Event'`: the client hears nothing but what the function posts.
async fn stream(api: &Api, connection: &Connection, body: &str) {
    let context = events::message_context(&api.config.stage, connection, STREAM);
    let event = api.template.render(&context, body.as_bytes());
    if serde_json::from_str::<Value>(&event).is_ok() {
        api.lambda.invoke_event(&api.config.stream, Bytes::from(event));
    } else {
        internal_error(connection).await;
    }
}

/// Proxy integration with a route response: the returned `body` is for the client.
async fn default(api: &Api, connection: &Connection, body: &str, is_base64_encoded: bool) {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        status_code: u16,
        body: Option<String>,
    }
    let context = events::message_context(&api.config.stage, connection, DEFAULT);
    let event = events::message(&context, body, is_base64_encoded).to_string();
    let answer = api.lambda.invoke(&api.config.session, Bytes::from(event)).await.ok();
    let answer: Option<Answer> = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
    match answer {
        Some(answer) if answer.status_code < 500 => {
            if let Some(body) = answer.body.filter(|body| !body.is_empty()) {
                send(connection, body).await;
            }
        }
        Some(_) | None => internal_error(connection).await,
    }
}

async fn internal_error(connection: &Connection) {
    let error = json!({
        "message": "Internal server error",
        "connectionId": connection.client.connection_id,
        "requestId": Uuid::new_v4().to_string(),
    });
    send(connection, error.to_string()).await;
}

async fn send(connection: &Connection, message: String) {
    // Fails if the connection is gone, and with it whoever could be told.
    drop(connection.outbound.send(Outbound::Message(Bytes::from(message))).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_json_object_whose_action_is_stream_selects_the_route() {
        let deep = "[".repeat(10_000);
        for (body, expected) in [
            (r#"{"action":"stream"}"#, true),
            (r#"{"prompt":"x","action":"stream"}"#, true),
            (r#"{"action":"Stream"}"#, false),
            (r#"{"action":["stream"]}"#, false),
            (r#"{"action":null}"#, false),
            (r#"{"body":{"action":"stream"}}"#, false),
            (r#"{"action":"stream""#, false),
            (r#""stream""#, false),
            ("", false),
            (deep.as_str(), false),
        ] {
            assert_eq!(selects_stream(body), expected, "{body:.40}");
        }
    }
}
