//! The errors of the Cognito user pools API.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

/// Why a request fails. The message is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CognitoError {
    #[error("{0}")]
    NotAuthorized(&'static str),
    #[error("User pool client {0} does not exist.")]
    UnknownClient(String),
    #[error("{0}")]
    InvalidParameter(String),
    #[error("Unsupported token type")]
    UnsupportedTokenType,
    #[error("The operation {0} is not known here.")]
    UnknownOperation(String),
    #[error("The request is not valid JSON of this operation.")]
    Serialization,
}

impl CognitoError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::NotAuthorized(_) => "NotAuthorizedException",
            Self::UnknownClient(_) => "ResourceNotFoundException",
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::UnsupportedTokenType => "UnsupportedTokenTypeException",
            Self::UnknownOperation(_) => "UnknownOperationException",
            Self::Serialization => "SerializationException",
        }
    }
}

impl IntoResponse for CognitoError {
    fn into_response(self) -> Response {
        let error_type = self.error_type();
        let body = json!({"__type": error_type, "message": self.to_string()});
        (StatusCode::BAD_REQUEST, [("x-amzn-errortype", format!("{error_type}:"))], Json(body))
            .into_response()
    }
}
