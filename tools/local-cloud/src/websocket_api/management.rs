//! `@connections`, signed with Signature Version 4 ("API Gateway Management API reference").

use std::sync::{Arc, atomic::Ordering};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;

use super::{
    Api, MAX_MESSAGE,
    connection::{Connection, Outbound},
};
use crate::{
    faults::{Delivered, To},
    lambda::clock,
};

/// What is read of a body that is too large anyway, to say so instead of cutting the connection.
const MAX_READ: usize = 10 * 1024 * 1024;

pub(super) async fn answer(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_READ).await;
    let answered = body.map_err(|_| Refusal::TOO_LARGE).and_then(|body| {
        (api.gate)(&head.method, &head.uri, &head.headers, &body).map_err(|denied| Refusal {
            status: 403,
            kind: denied.code,
            message: denied.message,
        })?;
        match head.method {
            Method::POST => post(&api, &id, body),
            Method::GET => find(&api, &id).map(|connection| describe(&connection)),
            Method::DELETE => delete(&api, &id),
            _ => Err(Refusal::for_status(403)),
        }
    });
    answered.unwrap_or_else(Refusal::into_response)
}

fn post(api: &Api, id: &str, body: Bytes) -> Result<Response, Refusal> {
    if body.len() > MAX_MESSAGE {
        return Err(Refusal::TOO_LARGE);
    }
    if std::str::from_utf8(&body).is_err() {
        // It would travel in a text frame, and break the client.
        return Err(Refusal::new(400, "BadRequestException", "the data is not UTF-8"));
    }
    let connection = find(api, id)?;
    let place = connection.outbound.try_reserve().map_err(|error| match error {
        TrySendError::Full(()) => Refusal::for_status(429),
        TrySendError::Closed(()) => Refusal::for_status(410),
    })?;
    match api.faults.of(&body) {
        None => place.send(Outbound::Message(body)),
        Some(planned) => {
            drop(place);
            let Delivered { messages, cut } = planned.deliver(To::Connection(id.to_owned()), body);
            let messages = messages.into_iter().map(Outbound::Message);
            for outbound in messages.chain(cut.then_some(Outbound::Cut)) {
                // The post was accepted; what does not fit is lost.
                drop(connection.outbound.try_send(outbound));
            }
        }
    }
    api.posts.fetch_add(1, Ordering::Relaxed);
    Ok(Response::new(Body::empty()))
}

/// What a post is answered that fails with this status.
pub(crate) fn refusal(status: u16) -> Response {
    Refusal::for_status(status).into_response()
}

fn describe(connection: &Connection) -> Response {
    let client = &connection.client;
    let body = json!({
        "connectedAt": clock::iso(client.connected_at),
        "identity": { "sourceIp": client.source_ip.to_string(), "userAgent": client.user_agent },
        "lastActiveAt": clock::iso(connection.last_active().1),
    });
    json_response(StatusCode::OK, body.to_string())
}

fn delete(api: &Api, id: &str) -> Result<Response, Refusal> {
    let connection = find(api, id)?;
    api.connections().remove(id);
    connection.deleted.notify_one();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn find(api: &Api, id: &str) -> Result<Arc<Connection>, Refusal> {
    api.connections().get(id).cloned().ok_or_else(|| Refusal::for_status(410))
}

struct Refusal {
    status: u16,
    kind: &'static str,
    message: String,
}

impl Refusal {
    const TOO_LARGE: Self = Self { status: 413, kind: "PayloadTooLargeException", message: String::new() };

    fn new(status: u16, kind: &'static str, message: &str) -> Self {
        Self { status, kind, message: message.to_owned() }
    }

    fn for_status(status: u16) -> Self {
        match status {
            403 => Self::new(status, "ForbiddenException", "Forbidden"),
            410 => Self::new(status, "GoneException", "Gone"),
            413 => Self::TOO_LARGE,
            429 => Self::new(status, "LimitExceededException", "Too many requests"),
            _ => Self::new(status, "InternalServerErrorException", "Internal server error"),
        }
    }

    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_response(status, json!({ "message": self.message }).to_string());
        if let Ok(kind) = HeaderValue::from_str(self.kind) {
            response.headers_mut().insert("x-amzn-errortype", kind);
        }
        response
    }
}

fn json_response(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
