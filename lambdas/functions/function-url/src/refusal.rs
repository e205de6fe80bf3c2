use auth::AuthError;
use bytes::Bytes;
use chat::{Error, ErrorCode, InvalidRequest, ModelError, StreamEvent, StreamId, wire};
use http::{HeaderValue, StatusCode, header};
use lambda_runtime::MetadataPrelude;
use stream_log::{ClaimError, StoreError};

use crate::responder::head;

/// A request that gets no stream: a status, and the contract's `error` event as the body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no bearer token")]
    NoToken,
    #[error("the bearer token was not accepted")]
    Token(#[from] AuthError),
    /// With the methods that are.
    #[error("the method is not allowed")]
    MethodNotAllowed(&'static [&'static str]),
    #[error("the content type is not application/json")]
    UnsupportedMediaType,
    /// The contract's error says it all. Its code only: its sentence may quote the prompt, and this is logged.
    #[error("{}", .0.code)]
    Plain(Error, Option<StreamId>),
    #[error("the stream was not claimed")]
    Claim(#[source] ClaimError, StreamId),
    #[error("the stream log did not answer")]
    Log(#[from] StoreError),
    #[error("the caller has no such stream")]
    NoStream(StreamId),
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
            Self::NoToken => (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Self::Token(error) if !error.is_outage() => {
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))
            }
            Self::MethodNotAllowed(methods) => {
                let methods = HeaderValue::try_from(methods.join(", "));
                (header::ALLOW, methods.expect("names of methods are visible ASCII"))
            }
            _ => match self.retry_after() {
                Some(seconds) => (header::RETRY_AFTER, seconds.into()),
                None => return head,
            },
        };
        head.headers.insert(name, value);
        head
    }

    /// In seconds.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Token(_) | Self::Log(_) | Self::Claim(ClaimError::Store(_), _) => Some(1),
            Self::Claim(error, _) => error.to_error().retry_after,
            Self::Model(error, _) => error.is_transient().then_some(1),
            Self::NoToken
            | Self::MethodNotAllowed(_)
            | Self::UnsupportedMediaType
            | Self::Plain(..)
            | Self::NoStream(_)
            | Self::Internal { .. } => None,
        }
    }

    pub(crate) fn body(&self) -> Bytes {
        let error = match self {
            Self::MethodNotAllowed(methods) => {
                Error::new(self.code(), format!("The method must be {}.", methods.join(" or ")))
            }
            Self::UnsupportedMediaType => {
                Error::new(self.code(), "The header Content-Type must be application/json.")
            }
            Self::Plain(error, _) => error.clone(),
            Self::Claim(error, _) => error.to_error(),
            Self::NoToken
            | Self::Token(_)
            | Self::Log(_)
            | Self::NoStream(_)
            | Self::Model(..)
            | Self::Internal { .. } => self.code().into(),
        };
        wire::to_json(&StreamEvent::Error { stream_id: self.stream_id().cloned(), seq: None, error }).into()
    }

    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Token(error) if error.is_outage() => ErrorCode::Internal,
            Self::NoToken | Self::Token(_) => ErrorCode::Unauthorized,
            Self::MethodNotAllowed(_) | Self::UnsupportedMediaType => ErrorCode::InvalidRequest,
            Self::Plain(error, _) => error.code,
            Self::Claim(error, _) => error.code(),
            Self::NoStream(_) => ErrorCode::NotFound,
            Self::Model(error, _) => error.code(),
            Self::Log(_) | Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Plain(_, stream_id) => stream_id.as_ref(),
            Self::Claim(_, stream_id) | Self::NoStream(stream_id) | Self::Model(_, stream_id) => {
                Some(stream_id)
            }
            Self::NoToken
            | Self::Token(_)
            | Self::MethodNotAllowed(_)
            | Self::UnsupportedMediaType
            | Self::Log(_)
            | Self::Internal { .. } => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Log(_) | Self::Claim(ClaimError::Store(_), _) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Token(error) if error.is_outage() => StatusCode::SERVICE_UNAVAILABLE,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoToken
            | Self::Token(_)
            | Self::Plain(..)
            | Self::Claim(..)
            | Self::NoStream(_)
            | Self::Model(..)
            | Self::Internal { .. } => status_of(self.code()),
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
