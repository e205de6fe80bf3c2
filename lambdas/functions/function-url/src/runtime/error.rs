use http::StatusCode;
use lambda_runtime_api_client::BoxError;

/// What can go wrong between the loop and the Runtime API. For the log only: the client sees none of it.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("the Runtime API is gone")]
    Gone(#[source] BoxError),
    #[error("the Runtime API answered {0} for the next event")]
    NoEvent(StatusCode),
    #[error("the event has no usable {0}")]
    Header(&'static str),
    #[error("a request to the Runtime API could not be built")]
    Request(#[from] http::Error),
    #[error("the Runtime API broke off")]
    BrokenOff,
    #[error("the handler ended without an answer")]
    NoAnswer,
    #[error("the answer was not read in time")]
    NotRead,
}
