//! A service's calls on their way in: they are met by the plan of their stream.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{CallFault, Faults, Plane};
use crate::{appsync, dynamodb, sqs, websocket_api};

/// More than any of the services takes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The calls of one kind.
#[derive(Clone)]
pub(crate) struct Calls {
    faults: Faults,
    plane: Plane,
}

impl Calls {
    pub(crate) fn new(faults: &Faults, plane: Plane) -> Self {
        Self { faults: faults.clone(), plane }
    }
}

/// For `axum::middleware::from_fn_with_state`.
pub(crate) async fn meet(
    State(Calls { faults, plane }): State<Calls>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::POST || faults.is_empty() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    // A client that is gone needs no answer, so this is for bodies that are too large.
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let target = head.headers.get("x-amz-target").map(http::HeaderValue::as_bytes);
    let planned = plane.concerns(target, &body).then(|| faults.of(&body)).flatten();
    let fault = planned.and_then(|planned| planned.call(plane));
    let Some(fault) = fault else { return next.run(Request::from_parts(head, Body::from(body))).await };
    let refusal = |status| plane.refusal(status, &body);
    let call = next.run(Request::from_parts(head, Body::from(body.clone())));
    match fault {
        CallFault::Refuse(status) => refusal(status),
        CallFault::DoneBut(status) => {
            let answer = call.await;
            if answer.status().is_success() { refusal(status) } else { answer }
        }
        // Until the client goes, and takes this with it.
        CallFault::Hang => std::future::pending().await,
        CallFault::DoneButHang => {
            call.await;
            std::future::pending().await
        }
        CallFault::Late(ms) => {
            let answer = call.await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer
        }
        CallFault::GraphqlErrors => match plane {
            Plane::Publishes => refusal(200),
            Plane::Posts | Plane::Sends | Plane::Store => refusal(500),
        },
    }
}

impl Plane {
    fn concerns(self, target: Option<&[u8]>, body: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Operation {
            query: String,
        }
        match self {
            Self::Posts | Self::Store => true,
            // The query, for a prompt may say anything.
            Self::Publishes => {
                serde_json::from_slice(body).is_ok_and(|Operation { query }| query.contains("publishToken"))
            }
            Self::Sends => target == Some(b"AmazonSQS.SendMessage"),
        }
    }

    /// In the service's own shape.
    fn refusal(self, status: u16, body: &[u8]) -> Response {
        match self {
            Self::Posts => websocket_api::management::refusal(status),
            Self::Publishes => appsync::refusal(status),
            Self::Sends => sqs::api::refusal(status),
            Self::Store => dynamodb::api::refusal(status, body),
        }
    }
}
