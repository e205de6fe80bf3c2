use appsync_job::NotAJob;
use chat::{ErrorCode, ModelError, SinkError};
use stream_log::StoreError;

/// Why a message goes back to the queue. Nothing of an answer has been generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the message is poison")]
    Poison(#[from] NotAJob),
    #[error("the refusal was not published")]
    Publish(#[source] SinkError),
    /// Nothing is paid for that cannot be claimed.
    #[error("the stream was not claimed")]
    Claim(#[from] StoreError),
}

/// A prompt that gets no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// An earlier delivery may have begun the answer and died, and there is no log that knows.
    #[error("the message was received before")]
    Again,
    #[error("an earlier delivery was refused ({0})")]
    Before(ErrorCode),
    #[error("the worker that had begun the answer died")]
    Died,
    #[error("the message has waited too long")]
    Stale,
    #[error("the model did not open")]
    Model(#[source] ModelError),
}

impl Refusal {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Again | Self::Died => ErrorCode::Interrupted,
            Self::Stale => ErrorCode::DeadlineExceeded,
            Self::Before(code) => *code,
            Self::Model(error) => error.code(),
        }
    }
}
