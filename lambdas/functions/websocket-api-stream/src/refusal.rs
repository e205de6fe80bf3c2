use auth::NotACaller;
use chat::{Error, ErrorCode, ModelError, StreamEvent, StreamId};
use stream_log::{ClaimError, StoreError};

/// A message that gets no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller is not, or no longer, signed in")]
    Caller(#[source] NotACaller, Option<StreamId>),
    /// Without the sentence for the caller: it may quote the prompt, and this is logged.
    #[error("{}", .0.code)]
    Invalid(Error, Option<StreamId>),
    #[error("the stream was not claimed")]
    Claim(#[source] ClaimError, StreamId),
    #[error("the caller has no such stream")]
    NoStream(StreamId),
    #[error("the stream log did not answer")]
    Log(#[source] StoreError, StreamId),
    #[error("the model did not open")]
    Model(#[source] ModelError, StreamId),
}

impl Refusal {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Caller(..) => ErrorCode::Unauthorized,
            Self::Invalid(error, _) => error.code,
            Self::Claim(error, _) => error.code(),
            Self::NoStream(_) => ErrorCode::NotFound,
            Self::Log(..) => ErrorCode::Internal,
            Self::Model(error, _) => error.code(),
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Caller(_, stream_id) | Self::Invalid(_, stream_id) => stream_id.as_ref(),
            Self::Claim(_, stream_id)
            | Self::NoStream(stream_id)
            | Self::Log(_, stream_id)
            | Self::Model(_, stream_id) => Some(stream_id),
        }
    }

    pub(crate) fn into_event(self) -> StreamEvent {
        let stream_id = self.stream_id().cloned();
        let error = match self {
            Self::Invalid(error, _) => error,
            Self::Claim(error, _) => error.to_error(),
            Self::Caller(..) | Self::NoStream(_) | Self::Log(..) | Self::Model(..) => self.code().into(),
        };
        StreamEvent::Error { stream_id, seq: None, error }
    }
}
