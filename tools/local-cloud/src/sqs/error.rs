//! The errors of SQS, each with its three spellings.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::sigv4::Denied;

/// Why a request fails. The message is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SqsError {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("The address {0} is not valid for this endpoint.")]
    InvalidAddress(String),
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF."
    )]
    InvalidMessageContents,
    #[error("The input receipt handle is not valid.")]
    ReceiptHandleIsInvalid,
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    #[error("{0} is not available in this local service.")]
    UnsupportedOperation(String),
    #[error("The operation {0} is not known here.")]
    UnknownOperation(String),
    #[error("The request is not valid JSON of this operation: {0}")]
    Serialization(String),
    #[error("{message}")]
    Denied { code: &'static str, message: String },
    /// As a plan wants it.
    #[error("Refused as planned in this local service.")]
    Planned(StatusCode),
}

impl SqsError {
    /// HTTP status, `__type`, and the code of the old query protocol, which SDKs still report.
    fn spelling(&self) -> (StatusCode, &'static str, &'static str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::QueueDoesNotExist => {
                (BAD, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
            }
            Self::InvalidAddress(_) => {
                (StatusCode::NOT_FOUND, "com.amazonaws.sqs#InvalidAddress", "InvalidAddress")
            }
            Self::MissingParameter(_) => {
                (BAD, "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter")
            }
            Self::InvalidParameterValue(_) => {
                (BAD, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue")
            }
            Self::InvalidMessageContents => {
                (BAD, "com.amazonaws.sqs#InvalidMessageContents", "InvalidMessageContents")
            }
            Self::ReceiptHandleIsInvalid => {
                (StatusCode::NOT_FOUND, "com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid")
            }
            Self::MessageNotInflight => {
                (BAD, "com.amazonaws.sqs#MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight")
            }
            Self::InvalidAttributeName(_) => {
                (BAD, "com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName")
            }
            Self::UnsupportedOperation(_) => {
                (BAD, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation")
            }
            Self::UnknownOperation(_) => {
                (BAD, "com.amazon.coral.service#UnknownOperationException", "InvalidAction")
            }
            Self::Serialization(_) => {
                (BAD, "com.amazon.coral.service#SerializationException", "MalformedInput")
            }
            Self::Denied { code, .. } => {
                let (full, query) = denied_spelling(code);
                (StatusCode::FORBIDDEN, full, query)
            }
            Self::Planned(status) => {
                let (full, query) = match status.as_u16() {
                    403 => ("com.amazon.coral.service#AccessDeniedException", "AccessDenied"),
                    400 | 429 => ("com.amazonaws.sqs#RequestThrottled", "RequestThrottled"),
                    503 => ("com.amazon.coral.service#ServiceUnavailableException", "ServiceUnavailable"),
                    _ => ("com.amazon.coral.service#InternalFailure", "InternalError"),
                };
                (*status, full, query)
            }
        }
    }
}

impl From<Denied> for SqsError {
    fn from(Denied { code, message }: Denied) -> Self {
        Self::Denied { code, message }
    }
}

impl IntoResponse for SqsError {
    fn into_response(self) -> Response {
        let (status, full_type, query_code) = self.spelling();
        let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
        let body = json!({"__type": full_type, "message": self.to_string()});
        (status, [("x-amzn-query-error", format!("{query_code};{fault}"))], Json(body)).into_response()
    }
}

fn denied_spelling(code: &str) -> (&'static str, &'static str) {
    match code {
        "MissingAuthenticationTokenException" => {
            ("com.amazon.coral.service#MissingAuthenticationTokenException", "MissingAuthenticationToken")
        }
        "UnrecognizedClientException" => {
            ("com.amazon.coral.service#UnrecognizedClientException", "InvalidClientTokenId")
        }
        "InvalidSignatureException" => {
            ("com.amazon.coral.service#InvalidSignatureException", "SignatureDoesNotMatch")
        }
        "IncompleteSignatureException" => {
            ("com.amazon.coral.service#IncompleteSignatureException", "IncompleteSignature")
        }
        _ => ("com.amazon.coral.service#AccessDeniedException", "AccessDenied"),
    }
}
