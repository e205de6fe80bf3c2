//! The errors of DynamoDB ("Error handling with DynamoDB").

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::sigv4::Denied;

#[derive(Debug)]
pub(super) enum DynamoDbError {
    Serialization(String),
    UnknownOperation(String),
    Denied(Denied),
    Throttled,
    Internal(StatusCode),
}

impl DynamoDbError {
    pub(super) fn planned(status: u16) -> Self {
        match status {
            500.. => {
                Self::Internal(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            }
            _ => Self::Throttled,
        }
    }
}

impl From<Denied> for DynamoDbError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl IntoResponse for DynamoDbError {
    fn into_response(self) -> Response {
        let bad = StatusCode::BAD_REQUEST;
        let (status, kind, message) = match self {
            Self::Serialization(message) => {
                (bad, "com.amazon.coral.service#SerializationException".to_owned(), message)
            }
            Self::UnknownOperation(_) => {
                (bad, "com.amazon.coral.service#UnknownOperationException".to_owned(), String::new())
            }
            Self::Denied(Denied { code, message }) => {
                (bad, format!("com.amazon.coral.service#{code}"), message)
            }
            Self::Throttled => (
                bad,
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException".to_owned(),
                "Refused as planned in this local service.".to_owned(),
            ),
            Self::Internal(status) => (
                status,
                "com.amazonaws.dynamodb.v20120810#InternalServerError".to_owned(),
                "Refused as planned in this local service.".to_owned(),
            ),
        };
        (status, Json(json!({ "__type": kind, "message": message }))).into_response()
    }
}
