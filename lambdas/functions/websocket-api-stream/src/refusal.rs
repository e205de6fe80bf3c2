use auth::NotACaller;
use chat::{ErrorCode, InvalidRequest, ModelError, StreamEvent, StreamId};

/// A message that gets no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller is not, or no longer, signed in")]
    Caller(#[source] NotACaller, Option<StreamId>),
    /// Without the sentence for the caller: it may quote the prompt, and this is logged.
    #[error("{}", .0.code)]
    Invalid(chat::Error, Option<StreamId>),
    #[error("the model did not open")]
    Model(#[source] ModelError, StreamId),
}

impl Refusal {
    pub(crate) fn caller(error: NotACaller, stream_id: Option<StreamId>) -> Self {
        Self::Caller(error, stream_id)
    }

    pub(crate) fn invalid(invalid: InvalidRequest, stream_id: Option<StreamId>) -> Self {
        Self::Invalid(invalid.into_error(), stream_id)
    }

    pub(crate) fn model(error: ModelError, stream_id: StreamId) -> Self {
        Self::Model(error, stream_id)
    }

    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Caller(..) => ErrorCode::Unauthorized,
            Self::Invalid(error, _) => error.code,
            Self::Model(error, _) => error.code(),
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Caller(_, stream_id) | Self::Invalid(_, stream_id) => stream_id.as_ref(),
            Self::Model(_, stream_id) => Some(stream_id),
        }
    }

    pub(crate) fn into_event(self) -> StreamEvent {
        let stream_id = self.stream_id().cloned();
        let error = match self {
            Self::Invalid(error, _) => error,
            Self::Caller(..) | Self::Model(..) => self.code().into(),
        };
        StreamEvent::Error { stream_id, seq: None, error }
    }
}
