use std::{fmt, future::Future};

use tokio::{select, time::timeout_at};

use crate::{Cancellation, ChatRequest, ErrorCode, Limits, StopReason, Usage};

/// A language model that answers as a stream.
pub trait Model: Sync {
    type Answer: Answer;

    /// Resolves once the model has accepted the request.
    fn open(&self, request: &ChatRequest) -> impl Future<Output = Result<Self::Answer, ModelError>> + Send;
}

/// One answer while it is generated. Dropping it closes the model's connection and so ends the bill.
pub trait Answer: Send {
    /// The next event, or `None` when the model's connection has ended.
    fn next(&mut self) -> impl Future<Output = Option<Result<ModelEvent, ModelError>>> + Send;
}

/// What a model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelEvent {
    /// Text for the reader.
    Text(String),
    /// The model is at work without text for the reader, such as reasoning. Shows that it is alive.
    Activity,
    /// The model is finished, and why.
    Stop(StopReason),
    /// What it billed; comes after `Stop`, if at all.
    Usage(Usage),
}

/// Why the model did not answer, or stopped answering.
#[derive(Debug)]
pub struct ModelError {
    pub kind: ModelErrorKind,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Closed, because each kind means something else to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelErrorKind {
    /// Too many requests or tokens for the account.
    Throttled,
    /// The service or the way to it is down; another try may work.
    Unavailable,
    /// The request will never work: not valid for this model, or no access to it.
    Rejected,
    /// Nothing came in time.
    TimedOut,
    /// What came is not what a model says, such as a frame with a wrong checksum.
    Garbled,
}

impl ModelError {
    pub fn new(kind: ModelErrorKind, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, cause: Some(cause.into()) }
    }

    pub fn timed_out() -> Self {
        Self { kind: ModelErrorKind::TimedOut, cause: None }
    }

    pub fn code(&self) -> ErrorCode {
        match self.kind {
            ModelErrorKind::Throttled => ErrorCode::ModelThrottled,
            ModelErrorKind::Unavailable => ErrorCode::ModelUnavailable,
            ModelErrorKind::Rejected | ModelErrorKind::Garbled => ErrorCode::ModelError,
            ModelErrorKind::TimedOut => ErrorCode::ModelTimeout,
        }
    }

    /// Whether asking again at once may help.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ModelErrorKind::Throttled | ModelErrorKind::Unavailable => true,
            ModelErrorKind::Rejected | ModelErrorKind::TimedOut | ModelErrorKind::Garbled => false,
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ModelErrorKind::Throttled => "the model is throttled",
            ModelErrorKind::Unavailable => "the model is unavailable",
            ModelErrorKind::Rejected => "the model rejected the request",
            ModelErrorKind::TimedOut => "the model did not answer in time",
            ModelErrorKind::Garbled => "the model's stream could not be read",
        })
    }
}

impl std::error::Error for ModelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// An answer that the model has begun; or one that was cancelled before, which says only that.
#[derive(Debug)]
pub enum Opened<A> {
    Answer(A),
    Cancelled,
}

impl<A: Answer> Answer for Opened<A> {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        match self {
            Self::Answer(answer) => answer.next().await,
            Self::Cancelled => Some(Ok(ModelEvent::Stop(StopReason::Cancelled))),
        }
    }
}

/// Opens the answer within the time for a first token, unless it is cancelled.
pub async fn open<M: Model>(
    model: &M,
    request: &ChatRequest,
    limits: &Limits,
    cancellation: &Cancellation,
) -> Result<Opened<M::Answer>, ModelError> {
    select! {
        // What was cancelled before must not be paid for.
        biased;
        () = cancellation.requested() => Ok(Opened::Cancelled),
        opened = timeout_at(limits.first_token_by, model.open(request)) => {
            opened.unwrap_or_else(|_| Err(ModelError::timed_out())).map(Opened::Answer)
        }
    }
}
