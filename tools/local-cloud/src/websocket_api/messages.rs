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

/// What a message selects by its `action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Cancel,
    Default,
    Resume,
    Stream,
}

pub(super) async fn text(api: Arc<Api>, connection: Arc<Connection>, body: Utf8Bytes) {
    let route = Route::of(&body);
    match route {
        Route::Stream | Route::Resume => asynchronous(&api, &connection, route, &body).await,
        Route::Cancel | Route::Default => proxy(&api, &connection, route, &body, false).await,
    }
}

/// A binary message has no body to select a route by.
pub(super) async fn binary(api: Arc<Api>, connection: Arc<Connection>, body: Bytes) {
    proxy(&api, &connection, Route::Default, &BASE64_STANDARD.encode(body), true).await;
}

impl Route {
    fn of(body: &str) -> Self {
        let body: Option<Value> = serde_json::from_str(body).ok();
        match body.as_ref().and_then(|body| body.get("action")?.as_str()) {
            Some("cancel") => Self::Cancel,
            Some("resume") => Self::Resume,
            Some("stream") => Self::Stream,
            Some(_) | None => Self::Default,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Default => "$default",
            Self::Resume => "resume",
            Self::Stream => "stream",
        }
    }
}

/// Non-proxy, `X-Amz-Invocation-Type: 'Event'`: the client hears nothing but what the function posts.
async fn asynchronous(api: &Api, connection: &Connection, route: Route, body: &str) {
    let context = events::message_context(&api.config.stage, connection, route.key());
    let event = api.template.render(&context, body.as_bytes());
    if serde_json::from_str::<Value>(&event).is_ok() {
        api.lambda.invoke_event(&api.config.stream, Bytes::from(event));
    } else {
        internal_error(connection).await;
    }
}

/// Proxy integration with a route response: the returned `body` is for the client.
async fn proxy(api: &Api, connection: &Connection, route: Route, body: &str, is_base64_encoded: bool) {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        status_code: u16,
        body: Option<String>,
    }
    let context = events::message_context(&api.config.stage, connection, route.key());
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
    fn the_action_of_a_json_object_selects_the_route() {
        let deep = "[".repeat(10_000);
        for (body, expected) in [
            (r#"{"action":"stream"}"#, Route::Stream),
            (r#"{"prompt":"x","action":"stream"}"#, Route::Stream),
            (r#"{"action":"resume","after":3}"#, Route::Resume),
            (r#"{"action":"cancel"}"#, Route::Cancel),
            (r#"{"action":"ping"}"#, Route::Default),
            (r#"{"action":"Stream"}"#, Route::Default),
            (r#"{"action":["stream"]}"#, Route::Default),
            (r#"{"action":null}"#, Route::Default),
            (r#"{"body":{"action":"stream"}}"#, Route::Default),
            (r#"{"action":"stream""#, Route::Default),
            (r#""stream""#, Route::Default),
            ("", Route::Default),
            (deep.as_str(), Route::Default),
        ] {
            assert_eq!(Route::of(body), expected, "{body:.40}");
        }
    }
}
