use appsync_job::NotAJob;
use chat::SinkError;

/// Why a message goes back to the queue. Nothing of an answer has been generated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the message is poison")]
    Poison(#[from] NotAJob),
    #[error("the refusal was not published")]
    Publish(#[source] SinkError),
}
