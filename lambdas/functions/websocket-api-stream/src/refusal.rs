use auth::NotACaller;
use chat::{ErrorCode, InvalidRequest, ModelError, StreamEvent, StreamId};
use startup::Causes;

/// A message that gets no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller is not, or no longer, signed in")]
    Caller(#[source] NotACaller, Option<StreamId>),
    /// Without the sentence for the caller: it may quote the prompt.
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

    pub(crate) fn for_log(&self) -> String {
        Causes(self).to_string()
    }

    pub(crate) fn into_event(self) -> StreamEvent {
        let (error, stream_id) = match self {
            Self::Caller(_, stream_id) => (ErrorCode::Unauthorized.into(), stream_id),
            Self::Invalid(error, stream_id) => (error, stream_id),
            Self::Model(error, stream_id) => (error.code().into(), Some(stream_id)),
        };
        StreamEvent::Error { stream_id, seq: None, error }
    }
}
