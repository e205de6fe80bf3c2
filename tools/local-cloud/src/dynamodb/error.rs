//! The errors of DynamoDB ("Error handling with DynamoDB"). What a client did wrong is always a 400.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::value::{Item, item_to_json};
use crate::sigv4::Denied;

#[derive(Debug)]
pub(super) enum DynamoDbError {
    Validation(String),
    /// With the item as it is, if it is asked for and there is one.
    ConditionalCheckFailed(Option<Item>),
    /// A reason for each item of the transaction.
    TransactionCanceled(Vec<Reason>),
    IdempotentParameterMismatch,
    ResourceNotFound,
    Serialization(String),
    UnknownOperation(String),
    Denied(Denied),
    // As a plan wants it.
    TransactionConflict,
    Throttled,
    InternalServerError(StatusCode),
}

/// Why a transaction was cancelled, as far as one of its items knows.
#[derive(Debug)]
pub(super) enum Reason {
    None,
    ConditionalCheckFailed(Option<Item>),
    ValidationError(String),
    TransactionConflict,
}

impl DynamoDbError {
    /// `com.amazonaws.dynamodb.v20120810` is the service's own model, `coral` is what AWS's services are made with.
    fn kind(&self) -> String {
        let (namespace, name) = match self {
            Self::Validation(_) => ("com.amazon.coral.validate", "ValidationException"),
            Self::Serialization(_) => ("com.amazon.coral.service", "SerializationException"),
            Self::UnknownOperation(_) => ("com.amazon.coral.service", "UnknownOperationException"),
            Self::Denied(Denied { code, .. }) => ("com.amazon.coral.service", *code),
            Self::ConditionalCheckFailed(_) => (MODEL, "ConditionalCheckFailedException"),
            Self::TransactionCanceled(_) => (MODEL, "TransactionCanceledException"),
            Self::IdempotentParameterMismatch => (MODEL, "IdempotentParameterMismatchException"),
            Self::ResourceNotFound => (MODEL, "ResourceNotFoundException"),
            Self::TransactionConflict => (MODEL, "TransactionConflictException"),
            Self::Throttled => (MODEL, "ProvisionedThroughputExceededException"),
            Self::InternalServerError(_) => (MODEL, "InternalServerError"),
        };
        format!("{namespace}#{name}")
    }

    fn message(&self) -> String {
        match self {
            Self::Validation(message)
            | Self::Serialization(message)
            | Self::Denied(Denied { message, .. }) => message.clone(),
            Self::UnknownOperation(name) => {
                format!("The operation {name} is not available in this local service")
            }
            Self::ConditionalCheckFailed(_) => CONDITION_FAILED.to_owned(),
            Self::TransactionCanceled(reasons) => format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                reasons.iter().map(Reason::code).collect::<Vec<_>>().join(", ")
            ),
            Self::IdempotentParameterMismatch => {
                "The provided client token was used with different parameters within the idempotency window"
                    .to_owned()
            }
            Self::ResourceNotFound => "Requested resource not found".to_owned(),
            Self::TransactionConflict => CONFLICT.to_owned(),
            Self::Throttled => {
                "The level of configured provisioned throughput for the table was exceeded. Consider \
                 increasing your provisioning level with the UpdateTable API."
                    .to_owned()
            }
            Self::InternalServerError(_) => "Internal server error".to_owned(),
        }
    }

    fn to_json(&self) -> Value {
        // The name of the member is another with some errors.
        let member = match self {
            Self::TransactionCanceled(_)
            | Self::IdempotentParameterMismatch
            | Self::Serialization(_)
            | Self::Denied(Denied { code: "AccessDeniedException", .. }) => "Message",
            Self::Validation(_)
            | Self::ConditionalCheckFailed(_)
            | Self::ResourceNotFound
            | Self::UnknownOperation(_)
            | Self::Denied(_)
            | Self::TransactionConflict
            | Self::Throttled
            | Self::InternalServerError(_) => "message",
        };
        let mut json = json!({ "__type": self.kind(), member: self.message() });
        match self {
            Self::ConditionalCheckFailed(Some(item)) => json["Item"] = item_to_json(item),
            Self::TransactionCanceled(reasons) => {
                json["CancellationReasons"] = reasons.iter().map(Reason::to_json).collect();
            }
            Self::ConditionalCheckFailed(None)
            | Self::Validation(_)
            | Self::IdempotentParameterMismatch
            | Self::ResourceNotFound
            | Self::Serialization(_)
            | Self::UnknownOperation(_)
            | Self::Denied(_)
            | Self::TransactionConflict
            | Self::Throttled
            | Self::InternalServerError(_) => {}
        }
        json
    }
}

const MODEL: &str = "com.amazonaws.dynamodb.v20120810";
const CONDITION_FAILED: &str = "The conditional request failed";
const CONFLICT: &str = "Transaction is ongoing for the item";

impl Reason {
    fn code(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::ConditionalCheckFailed(_) => "ConditionalCheckFailed",
            Self::ValidationError(_) => "ValidationError",
            Self::TransactionConflict => "TransactionConflict",
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "Code": self.code() });
        match self {
            Self::None => {}
            Self::ConditionalCheckFailed(item) => {
                if let Some(item) = item {
                    json["Item"] = item_to_json(item);
                }
                json["Message"] = CONDITION_FAILED.into();
            }
            Self::ValidationError(message) => json["Message"] = message.as_str().into(),
            Self::TransactionConflict => json["Message"] = CONFLICT.into(),
        }
        json
    }
}

impl From<Denied> for DynamoDbError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl IntoResponse for DynamoDbError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::InternalServerError(status) => *status,
            Self::Validation(_)
            | Self::ConditionalCheckFailed(_)
            | Self::TransactionCanceled(_)
            | Self::IdempotentParameterMismatch
            | Self::ResourceNotFound
            | Self::Serialization(_)
            | Self::UnknownOperation(_)
            | Self::Denied(_)
            | Self::TransactionConflict
            | Self::Throttled => StatusCode::BAD_REQUEST,
        };
        (status, Json(self.to_json())).into_response()
    }
}
