use auth::NotACaller;
use aws_sdk_sqs::{error::SdkError, operation::send_message::SendMessageError};
use chat::{Error, ErrorCode, StreamId};

use crate::arguments::in_graphql_names;

/// A mutation whose prompt does not get into the queue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller is not signed in to this app client")]
    Caller(#[source] NotACaller, Option<StreamId>),
    /// Without the sentence for the caller: it may quote the prompt, and this is logged.
    #[error("{}", .0.code)]
    Invalid(Error, Option<StreamId>),
    #[error("the prompt was not queued")]
    Queue(#[source] Box<SdkError<SendMessageError>>, StreamId),
}

impl Refusal {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Caller(..) => ErrorCode::Unauthorized,
            Self::Invalid(error, _) => error.code,
            Self::Queue(..) => ErrorCode::Internal,
        }
    }

    pub(crate) fn stream_id(&self) -> Option<&StreamId> {
        match self {
            Self::Caller(_, stream_id) | Self::Invalid(_, stream_id) => stream_id.as_ref(),
            Self::Queue(_, stream_id) => Some(stream_id),
        }
    }

    /// What the caller is told.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Invalid(error, _) => in_graphql_names(error),
            Self::Caller(..) | Self::Queue(..) => self.code().into(),
        }
    }
}
