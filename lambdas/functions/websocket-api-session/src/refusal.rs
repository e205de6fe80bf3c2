use auth::NotACaller;
use chat::{Error, ErrorCode, StreamEvent, StreamId};
use stream_log::StoreError;

/// A connection or a message that is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("The subprotocol llm-stream.v1 is not offered.")]
    Subprotocol,
    /// It quotes nothing: it is told to the client and logged.
    #[error("{0}")]
    Message(&'static str),
    #[error("the caller is not, or no longer, signed in")]
    Caller(#[source] NotACaller, Option<StreamId>),
    /// Without the sentence for the caller: it may quote the message, and this is logged.
    #[error("{}", .0.code)]
    Invalid(Error, Option<StreamId>),
    #[error("the caller has no such stream")]
    NoStream(StreamId),
    #[error("the stream log did not answer")]
    Log(#[source] StoreError, StreamId),
}

impl Refusal {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Subprotocol | Self::Message(_) => ErrorCode::InvalidRequest,
            Self::Caller(..) => ErrorCode::Unauthorized,
            Self::Invalid(error, _) => error.code,
            Self::NoStream(_) => ErrorCode::NotFound,
            Self::Log(..) => ErrorCode::Internal,
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Subprotocol | Self::Message(_) => None,
            Self::Caller(_, stream_id) | Self::Invalid(_, stream_id) => stream_id.as_ref(),
            Self::NoStream(stream_id) | Self::Log(_, stream_id) => Some(stream_id),
        }
    }

    pub(crate) fn into_event(self) -> StreamEvent {
        let stream_id = self.stream_id().cloned();
        let error = match self {
            Self::Invalid(error, _) => error,
            Self::Subprotocol | Self::Message(_) => Error::new(self.code(), self.to_string()),
            Self::Caller(..) | Self::NoStream(_) | Self::Log(..) => self.code().into(),
        };
        StreamEvent::Error { stream_id, seq: None, error }
    }
}
