//! `$connect`: the authorizer, the route, then the 101. Until then a refusal is an ordinary HTTP answer.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    request::Parts,
};
use hyper::upgrade::OnUpgrade;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use uuid::Uuid;

use super::{
    Api, authorizer,
    connection::{Client, Connection},
    events, socket,
};

pub(super) async fn connect(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    let client = Client::new(&head);
    let on_upgrade = head.extensions.remove::<OnUpgrade>();
    let (Some(on_upgrade), Some(accept)) = (on_upgrade, accept_key(&head.headers)) else {
        return refusal(&client, StatusCode::UPGRADE_REQUIRED);
    };
    let authorizer = match authorizer::authorize(&api, &client, &head).await {
        Ok(authorizer) => authorizer,
        Err(status) => return refusal(&client, status),
    };
    let subprotocol = match session(&api, &client, &authorizer, &head).await {
        Ok(subprotocol) => subprotocol,
        Err(status) => return refusal(&client, status),
    };
    // Known before the 101 leaves: the first message may be answered, and the answer posted, at once.
    let (connection, queue) = Connection::new(client, authorizer);
    let connection = Arc::new(connection);
    api.connections().insert(connection.client.connection_id.clone(), Arc::clone(&connection));
    tokio::spawn(socket::run(api, connection, queue, on_upgrade));

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    // Only what `$connect` answered: API Gateway does not choose among the offered subprotocols.
    headers.extend(subprotocol.map(|value| (SEC_WEBSOCKET_PROTOCOL, value)));
    response
}

/// RFC 6455, section 4.2.1; `None` if this is no opening handshake.
fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name, token: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    let shaken = has(CONNECTION, "upgrade") && has(UPGRADE, "websocket") && has(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| shaken)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

/// The subprotocol that the `$connect` route answers with, or the status that the upgrade gets instead.
async fn session(
    api: &Api,
    client: &Client,
    authorizer: &Map<String, Value>,
    head: &Parts,
) -> Result<Option<HeaderValue>, StatusCode> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        status_code: u16,
        #[serde(default)]
        headers: Map<String, Value>,
    }
    let event = events::connect(&api.config.stage, client, authorizer, head).to_string();
    let answer = api.lambda.invoke(&api.config.session, Bytes::from(event)).await;
    let answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let answer: Answer = serde_json::from_slice(&answer).map_err(|_| StatusCode::BAD_GATEWAY)?;
    match StatusCode::from_u16(answer.status_code) {
        Ok(status) if status.is_success() => {}
        Ok(status) if !status.is_informational() => return Err(status),
        Ok(_) | Err(_) => return Err(StatusCode::BAD_GATEWAY),
    }
    let subprotocol =
        answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(SEC_WEBSOCKET_PROTOCOL.as_str()));
    let Some((_, value)) = subprotocol else { return Ok(None) };
    let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
    value.ok_or(StatusCode::BAD_GATEWAY).map(Some)
}

fn refusal(client: &Client, status: StatusCode) -> Response {
    let message = match status {
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY => "Internal server error",
        status => status.canonical_reason().unwrap_or("Refused"),
    };
    let body = json!({
        "message": message,
        "connectionId": client.connection_id,
        "requestId": Uuid::new_v4().to_string(),
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
