use auth::NotACaller;
use chat::{Error, ErrorCode, StreamId};
use sqs_queue::QueueError;
use stream_log::{ClaimError, StoreError};

use crate::arguments::in_graphql_names;

/// A field that is not resolved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller is not signed in to this app client")]
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
    #[error("the prompt was not queued")]
    Queue(#[source] QueueError, StreamId),
}

impl Refusal {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Caller(..) => ErrorCode::Unauthorized,
            Self::Invalid(error, _) => error.code,
            Self::Claim(error, _) => error.code(),
            Self::NoStream(_) => ErrorCode::NotFound,
            Self::Log(..) | Self::Queue(..) => ErrorCode::Internal,
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Caller(_, stream_id) | Self::Invalid(_, stream_id) => stream_id.as_ref(),
            Self::Claim(_, stream_id)
            | Self::NoStream(stream_id)
            | Self::Log(_, stream_id)
            | Self::Queue(_, stream_id) => Some(stream_id),
        }
    }

    /// What the caller is told.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Invalid(error, _) => in_graphql_names(error),
            Self::Claim(error, _) => in_graphql_names(error.to_error()),
            Self::Caller(..) | Self::NoStream(_) | Self::Log(..) | Self::Queue(..) => self.code().into(),
        }
    }
}
