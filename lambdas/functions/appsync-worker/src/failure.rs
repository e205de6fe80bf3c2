use appsync_job::NotAJob;
use chat::{ErrorCode, ModelError, SinkError};

/// Why a message goes back to the queue. Nothing of an answer has been generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the message is poison")]
    Poison(#[from] NotAJob),
    #[error("the refusal was not published")]
    Publish(#[source] SinkError),
}

/// A prompt that gets no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// An earlier delivery may have begun the answer and died.
    #[error("the message was received before")]
    Again,
    #[error("the message has waited too long")]
    Stale,
    #[error("the model did not open")]
    Model(#[source] ModelError),
}

impl Refusal {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Again => ErrorCode::Interrupted,
            Self::Stale => ErrorCode::DeadlineExceeded,
            Self::Model(error) => error.code(),
        }
    }
}
