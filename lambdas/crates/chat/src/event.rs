use std::{fmt, sync::Arc};

use crate::StreamId;

/// One event of the stream contract (`protocol/README.md`), the same on every transport.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// The model accepted the prompt.
    Start { stream_id: StreamId, seq: u64, model: Arc<str> },
    /// The next piece of text; never empty.
    Delta { stream_id: StreamId, seq: u64, text: String },
    /// Nothing new, still alive. Without a stream it answers a client's own ping.
    Ping { stream_id: Option<StreamId> },
    /// The whole answer has been sent.
    Done {
        stream_id: StreamId,
        seq: u64,
        stop_reason: StopReason,
        /// Absent when the model did not report it.
        usage: Option<Usage>,
        timing: Timing,
    },
    /// There will be no more. Without `seq` it stands outside any stream: the request was refused before one
    /// existed, or whoever reports it cannot know how far the stream had come.
    Error { stream_id: Option<StreamId>, seq: Option<u64>, error: Error },
}

impl StreamEvent {
    /// Nothing follows a terminal event.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Done { .. } | Self::Error { .. } => true,
            Self::Start { .. } | Self::Delta { .. } | Self::Ping { .. } => false,
        }
    }

    /// Its place in the stream; none outside the count.
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Start { seq, .. } | Self::Delta { seq, .. } | Self::Done { seq, .. } => Some(*seq),
            Self::Error { seq, .. } => *seq,
            Self::Ping { .. } => None,
        }
    }
}

/// Why the model stopped, in the words of Bedrock's `StopReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    EndTurn,
    MaxTokens,
    StopSequence,
    ContentFiltered,
    GuardrailIntervened,
    /// The caller asked for it.
    Cancelled,
}

impl StopReason {
    pub const ALL: [Self; 6] = [
        Self::EndTurn,
        Self::MaxTokens,
        Self::StopSequence,
        Self::ContentFiltered,
        Self::GuardrailIntervened,
        Self::Cancelled,
    ];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::StopSequence => "stop_sequence",
            Self::ContentFiltered => "content_filtered",
            Self::GuardrailIntervened => "guardrail_intervened",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What the model billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// Measured by the function, from the moment it received the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Absent when the model produced no text.
    pub first_token_ms: Option<u64>,
    pub total_ms: u64,
}

/// What a caller is told when something went wrong: a stable code and a sentence for a person.
/// The cause belongs into the log, never in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub code: ErrorCode,
    pub message: String,
    /// Whole seconds after which another try makes sense, where that is known.
    pub retry_after: Option<u64>,
}

impl Error {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.sentence())
    }
}

/// The stable error codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    InvalidRequest,
    Unauthorized,
    PayloadTooLarge,
    RateLimited,
    Conflict,
    NotFound,
    ModelThrottled,
    ModelUnavailable,
    ModelError,
    ModelTimeout,
    DeadlineExceeded,
    Truncated,
    Interrupted,
    Internal,
}

impl ErrorCode {
    pub const ALL: [Self; 14] = [
        Self::InvalidRequest,
        Self::Unauthorized,
        Self::PayloadTooLarge,
        Self::RateLimited,
        Self::Conflict,
        Self::NotFound,
        Self::ModelThrottled,
        Self::ModelUnavailable,
        Self::ModelError,
        Self::ModelTimeout,
        Self::DeadlineExceeded,
        Self::Truncated,
        Self::Interrupted,
        Self::Internal,
    ];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unauthorized => "unauthorized",
            Self::PayloadTooLarge => "payload_too_large",
            Self::RateLimited => "rate_limited",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::ModelThrottled => "model_throttled",
            Self::ModelUnavailable => "model_unavailable",
            Self::ModelError => "model_error",
            Self::ModelTimeout => "model_timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Truncated => "truncated",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::ModelThrottled
            | Self::ModelUnavailable
            | Self::ModelTimeout
            | Self::DeadlineExceeded
            | Self::Truncated
            | Self::Interrupted
            | Self::Internal => true,
            Self::InvalidRequest
            | Self::Unauthorized
            | Self::PayloadTooLarge
            | Self::Conflict
            | Self::NotFound
            | Self::ModelError => false,
        }
    }

    /// What is said where there is nothing more precise to say.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid.",
            Self::Unauthorized => "Sign in again: the access token is missing, expired or not valid here.",
            Self::PayloadTooLarge => "The request is too large.",
            Self::RateLimited => "Too many requests. Wait a moment and try again.",
            Self::Conflict => "An answer with this stream_id already exists.",
            Self::NotFound => "There is nothing here.",
            Self::ModelThrottled => "The model is busy. Wait a moment and try again.",
            Self::ModelUnavailable => "The model is not available right now. Try again.",
            Self::ModelError => "The model refused the request.",
            Self::ModelTimeout => "The model took too long to answer. Try again.",
            Self::DeadlineExceeded => "The answer took longer than allowed and was cut off.",
            Self::Truncated => "The model's answer ended early. Try again.",
            Self::Interrupted => "The answer was interrupted. Try again.",
            Self::Internal => "Something went wrong on our side. Try again.",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
