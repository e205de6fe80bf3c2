//! How a realtime connection is opened: a WebSocket upgrade whose credentials come as a subprotocol, or in the
//! query string, and those of each `start` message.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    Api,
    auth::{Authority, Caller, Unauthenticated, authenticate_token},
    fault::refused,
    realtime,
};

/// Larger than any request that AppSync would take.
const FRAME_LIMIT: usize = 256 * 1024;

/// `{"Authorization", "host"}`, of a connection or of a `start`.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    #[serde(alias = "authorization")]
    #[serde(rename = "Authorization", default)]
    authorization: String,
    /// The API's host. AppSync compares it; here it has to be there.
    #[serde(default)]
    host: String,
}

/// Why a connection, or a `start`, is refused.
#[derive(Debug, PartialEq)]
pub(crate) struct ConnectError {
    error_type: String,
    message: String,
    code: u16,
}

impl Credentials {
    pub(crate) fn authenticate(&self, authority: &dyn Authority) -> Result<Caller, ConnectError> {
        if self.host.is_empty() {
            return Err(unauthorized("The host is missing in the authorization header."));
        }
        authenticate_token(authority, &self.authorization)
            .map_err(|Unauthenticated { message, .. }| unauthorized(&message))
    }
}

impl ConnectError {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "errorType": self.error_type, "message": self.message, "errorCode": self.code })
    }
}

/// Upgrades a request, and serves or refuses the socket in a task of its own.
pub(crate) fn upgrade(api: Arc<Api>, mut parts: Parts) -> Response {
    let is = |name: header::HeaderName, expected: &str| {
        tokens(&parts.headers, &name).any(|t| t.eq_ignore_ascii_case(expected))
    };
    let is_upgrade = is(header::UPGRADE, "websocket") && is(header::CONNECTION, "upgrade");
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let (true, Some(accept), Some(on_upgrade)) = (is_upgrade, key, parts.extensions.remove::<OnUpgrade>())
    else {
        let body =
            refused("BadRequestException", "GET is for WebSocket connections; send GraphQL with POST.");
        return (StatusCode::BAD_REQUEST, axum::Json(body)).into_response();
    };
    let spoken = tokens(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|token| token == "graphql-ws");
    let verdict = if spoken { check(&*api.authority, &parts) } else { Err(no_protocol()) };
    tokio::spawn(async move {
        // An upgrade fails when the client has gone already.
        let Ok(upgraded) = on_upgrade.await else { return };
        let config =
            WebSocketConfig::default().max_message_size(Some(FRAME_LIMIT)).max_frame_size(Some(FRAME_LIMIT));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        match verdict {
            Ok(_) => realtime::serve(api, socket).await,
            Err(error) => realtime::refuse(socket, error).await,
        }
    });
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if spoken {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, "graphql-ws");
    }
    response.body(Body::empty()).expect("constant headers and a base64 key")
}

fn check(authority: &dyn Authority, parts: &Parts) -> Result<Caller, ConnectError> {
    let protocol = tokens(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL)
        .find_map(|token| token.strip_prefix("header-").map(str::to_owned));
    let query = || {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        pairs.filter_map(|pair| pair.strip_prefix("header=")).map(percent_decode).next()
    };
    let encoded = protocol.or_else(query).ok_or_else(|| unauthorized("Required headers are missing."))?;
    decode(&encoded)
        .and_then(|json| serde_json::from_slice::<Credentials>(&json).ok())
        .ok_or_else(|| unauthorized("The authorization header is not base64 of JSON."))?
        .authenticate(authority)
}

fn unauthorized(message: &str) -> ConnectError {
    ConnectError { error_type: "UnauthorizedException".to_owned(), message: message.to_owned(), code: 401 }
}

fn no_protocol() -> ConnectError {
    let message = "The subprotocol graphql-ws is missing.".to_owned();
    ConnectError { error_type: "NoProtocolError".to_owned(), message, code: 400 }
}

/// Comma-separated, over any number of header lines.
fn tokens<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// A subprotocol must be base64url, for it may hold no `/` and no `=`; the query string is documented as base64.
fn decode(encoded: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::URL_SAFE, config);
    engine.decode(encoded.replace('+', "-").replace('/', "_")).ok()
}

/// Of the characters of base64, those that are escaped in a query string.
fn percent_decode(text: &str) -> String {
    [("%2B", "+"), ("%2b", "+"), ("%2F", "/"), ("%2f", "/"), ("%3D", "="), ("%3d", "=")]
        .iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}
