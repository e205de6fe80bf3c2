use auth::AuthError;
use bytes::Bytes;
use chat::{Error, ErrorCode, InvalidRequest, ModelError, StreamEvent, StreamId, wire};
use http::{HeaderValue, StatusCode, header};
use lambda_runtime::MetadataPrelude;

use crate::responder::head;

/// A request that gets no stream: a status, and the contract's `error` event as the body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no bearer token")]
    NoToken,
    #[error("the bearer token was not accepted")]
    Token(#[from] AuthError),
    #[error("the method is not POST")]
    MethodNotAllowed,
    #[error("the content type is not application/json")]
    UnsupportedMediaType,
    /// The contract's error says it all. Its code only: its sentence may quote the prompt, and this is logged.
    #[error("{}", .0.code)]
    Plain(Error, Option<StreamId>),
    #[error("the model did not open")]
    Model(#[source] ModelError, StreamId),
    #[error("{what}")]
    Internal { what: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Plain(error, None)
    }
}

impl Refusal {
    pub(crate) fn invalid(invalid: InvalidRequest, stream_id: Option<StreamId>) -> Self {
        Self::Plain(invalid.into_error(), stream_id)
    }

    pub(crate) fn model(error: ModelError, stream_id: StreamId) -> Self {
        Self::Model(error, stream_id)
    }

    pub(crate) fn internal(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal { what, source: source.into() }
    }

    pub(crate) fn head(&self) -> MetadataPrelude {
        let mut head = head(self.status(), HeaderValue::from_static("application/json"));
        let (name, value) = match self {
            // RFC 6750, section 3: no error code where no token was given.
            Self::NoToken => (header::WWW_AUTHENTICATE, "Bearer"),
            Self::Token(error) if !error.is_outage() => {
                (header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
            }
            Self::MethodNotAllowed => (header::ALLOW, "POST"),
            Self::Token(_) => (header::RETRY_AFTER, "1"),
            Self::Model(error, _) if error.is_transient() => (header::RETRY_AFTER, "1"),
            Self::Model(..) | Self::UnsupportedMediaType | Self::Plain(..) | Self::Internal { .. } => {
                return head;
            }
        };
        head.headers.insert(name, HeaderValue::from_static(value));
        head
    }

    pub(crate) fn body(&self) -> Bytes {
        let error = match self {
            Self::MethodNotAllowed => Error::new(self.code(), "The method must be POST."),
            Self::UnsupportedMediaType => {
                Error::new(self.code(), "The header Content-Type must be application/json.")
            }
            Self::Plain(error, _) => error.clone(),
            Self::NoToken | Self::Token(_) | Self::Model(..) | Self::Internal { .. } => self.code().into(),
        };
        wire::to_json(&StreamEvent::Error { stream_id: self.stream_id().cloned(), seq: None, error }).into()
    }

    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Token(error) if error.is_outage() => ErrorCode::Internal,
            Self::NoToken | Self::Token(_) => ErrorCode::Unauthorized,
            Self::MethodNotAllowed | Self::UnsupportedMediaType => ErrorCode::InvalidRequest,
            Self::Plain(error, _) => error.code,
            Self::Model(error, _) => error.code(),
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Plain(_, stream_id) => stream_id.as_ref(),
            Self::Model(_, stream_id) => Some(stream_id),
            Self::NoToken
            | Self::Token(_)
            | Self::MethodNotAllowed
            | Self::UnsupportedMediaType
            | Self::Internal { .. } => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Token(error) if error.is_outage() => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoToken | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Plain(error, _) => status_of(error.code),
            Self::Model(error, _) => status_of(error.code()),
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimited | ErrorCode::ModelThrottled => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ModelError | ErrorCode::Truncated | ErrorCode::Interrupted => StatusCode::BAD_GATEWAY,
        ErrorCode::ModelUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ModelTimeout | ErrorCode::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
