//! The operations, in the AWS JSON 1.0 protocol ("Amazon DynamoDB API Reference").

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, header, request::Parts};
use serde_json::Value;
use uuid::Uuid;

use super::{DynamoDb, error::DynamoDbError};
use crate::faults::{
    Plane,
    calls::{self, Calls},
};

/// AWS's limit of a request.
const MAX_REQUEST: usize = 16 * 1024 * 1024;

pub(super) fn router(dynamodb: DynamoDb) -> Router {
    let faults = Calls::new(&dynamodb.inner.faults, Plane::Store);
    Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(from_fn_with_state(faults, calls::meet))
        .with_state(dynamodb)
}

async fn answer(State(dynamodb): State<DynamoDb>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, MAX_REQUEST).await {
        Ok(body) => reply(dispatch(&dynamodb, &parts, &body)),
        Err(_) => reply(Err(DynamoDbError::Serialization("the body is too large or broke off".to_owned()))),
    }
}

/// What a call is answered that fails with this status.
pub(crate) fn refusal(status: u16, _body: &[u8]) -> Response {
    reply(Err(DynamoDbError::planned(status)))
}

fn reply(result: Result<Value, DynamoDbError>) -> Response {
    let mut response = match result {
        Ok(result) => axum::Json(result).into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    let request_id = HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is visible ASCII");
    headers.insert("x-amzn-requestid", request_id);
    response
}

fn dispatch(dynamodb: &DynamoDb, parts: &Parts, body: &Bytes) -> Result<Value, DynamoDbError> {
    let Parts { method, uri, headers, .. } = parts;
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("DynamoDB_20120810.").filter(|_| *method == Method::POST);
    let unknown = || DynamoDbError::UnknownOperation(target.to_owned());
    let action = format!("dynamodb:{}", operation.ok_or_else(unknown)?);
    dynamodb.inner.identities.authorize(method, uri, headers, body, "dynamodb", &action)?;
    Err(unknown())
}
