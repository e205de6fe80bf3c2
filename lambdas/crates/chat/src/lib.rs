//! The contract and the token path: what is true for every transport.
//!
//! `open` a model's answer, then `relay` it into a sink. The two seams are the traits [`Model`] and [`EventSink`];
//! between them are plain functions. There is no AWS in here, and no transport.

#![forbid(unsafe_code)]

mod alarm;
mod body;
mod cancellation;
mod event;
mod handoff;
mod model;
mod object;
mod outbox;
mod prompt;
mod recall;
mod relay;
mod retry;
mod sink;
mod stream_id;
mod tuning;
pub mod wire;

pub use alarm::Alarm;
pub use body::{InvalidRequest, MAX_BODY_BYTES};
pub use cancellation::{Cancellation, Canceller};
pub use event::{Error, ErrorCode, StopReason, StreamEvent, Timing, Usage};
pub use model::{Answer, Model, ModelError, ModelErrorKind, ModelEvent, Opened, open};
pub use prompt::{ChatRequest, MAX_MESSAGES, Message, RequestLimits, Role};
pub use recall::{CancelRequest, ResumeRequest};
pub use relay::{Ending, Opening, Outcome, relay};
pub use retry::{Backoff, Retrying};
pub use sink::{EventSink, SinkError};
pub use stream_id::StreamId;
pub use tuning::{Limits, Tuning};
