//! The AWS JSON 1.0 protocol around the operations ("Amazon DynamoDB API Reference").

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::Value;
use uuid::Uuid;

use super::{DynamoDb, error::DynamoDbError, operations, request::Members, transaction};
use crate::{
    faults::{
        Plane,
        calls::{self, Calls},
    },
    sigv4::Denied,
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

/// What a call is answered that fails with this status. DynamoDB itself has one for all faults of a client.
pub(crate) fn refusal(status: u16, body: &[u8]) -> Response {
    reply(Err(match status {
        500.. => DynamoDbError::InternalServerError(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        409 if !transaction::permissions(body).is_empty() => transaction::conflict(body),
        409 => DynamoDbError::TransactionConflict,
        403 => DynamoDbError::Denied(Denied {
            code: "AccessDeniedException",
            message: "Refused as planned in this local service.".to_owned(),
        }),
        _ => DynamoDbError::Throttled,
    }))
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

#[derive(Clone, Copy)]
enum Operation {
    GetItem,
    PutItem,
    UpdateItem,
    DeleteItem,
    Query,
    TransactWriteItems,
}

impl Operation {
    fn of(parts: &Parts) -> Result<Self, DynamoDbError> {
        let target =
            parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        match target.strip_prefix("DynamoDB_20120810.").filter(|_| parts.method == Method::POST) {
            Some("GetItem") => Ok(Self::GetItem),
            Some("PutItem") => Ok(Self::PutItem),
            Some("UpdateItem") => Ok(Self::UpdateItem),
            Some("DeleteItem") => Ok(Self::DeleteItem),
            Some("Query") => Ok(Self::Query),
            Some("TransactWriteItems") => Ok(Self::TransactWriteItems),
            _ => Err(DynamoDbError::UnknownOperation(target.to_owned())),
        }
    }

    /// A transaction needs the permissions of its items, and none of its own.
    fn permissions(self, body: &[u8]) -> Vec<&'static str> {
        match self {
            Self::GetItem => vec!["dynamodb:GetItem"],
            Self::PutItem => vec!["dynamodb:PutItem"],
            Self::UpdateItem => vec!["dynamodb:UpdateItem"],
            Self::DeleteItem => vec!["dynamodb:DeleteItem"],
            Self::Query => vec!["dynamodb:Query"],
            Self::TransactWriteItems => transaction::permissions(body),
        }
    }
}

fn dispatch(dynamodb: &DynamoDb, parts: &Parts, body: &Bytes) -> Result<Value, DynamoDbError> {
    let operation = Operation::of(parts)?;
    let Parts { method, uri, headers, .. } = parts;
    let permissions = operation.permissions(body);
    dynamodb.inner.identities.authorize_all(method, uri, headers, body, "dynamodb", &permissions)?;
    let members = Members::parse(body)?;
    let store = &mut *dynamodb.lock();
    match operation {
        Operation::GetItem => operations::get_item(store, members),
        Operation::PutItem => operations::put_item(store, members),
        Operation::UpdateItem => operations::update_item(store, members),
        Operation::DeleteItem => operations::delete_item(store, members),
        Operation::Query => operations::query(store, members),
        Operation::TransactWriteItems => transaction::transact_write_items(store, members),
    }
}
