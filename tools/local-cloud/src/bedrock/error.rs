//! What Bedrock Runtime answers instead of a stream (restJson1 errors).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::sigv4::Denied;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An error before the first byte. The message is for the caller.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
pub(super) struct Refusal {
    status: StatusCode,
    kind: String,
    message: String,
}

impl Refusal {
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    pub(super) fn throttled(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", message)
    }

    pub(super) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", "Only ConverseStream is known here.")
    }

    /// What a test asked for; a status that is none becomes 500.
    pub(super) fn scripted(status: u16, kind: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, kind, "Refused by the script of this local service.")
    }

    fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        Refusal { status, kind: kind.to_owned(), message: message.into() }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, denied.code, denied.message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"message": self.message}))).into_response();
        // A test may script any text as the type; one that is no header value is left out.
        if let Ok(kind) = HeaderValue::try_from(self.kind) {
            response.headers_mut().insert(ERROR_TYPE, kind);
        }
        response
    }
}
