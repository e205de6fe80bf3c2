//! The contract and the token path: what is true for every transport.
//!
//! `open` a model's answer, then `relay` it into a sink. The two seams are the traits [`Model`] and [`EventSink`];
//! between them are plain functions. There is no AWS in here, and no transport.

#![forbid(unsafe_code)]

mod event;
mod model;
mod object;
mod outbox;
mod prompt;
mod relay;
mod retry;
mod sink;
mod stream_id;
mod tuning;
pub mod wire;

pub use event::{Error, ErrorCode, StopReason, StreamEvent, Timing, Usage};
pub use model::{Answer, Model, ModelError, ModelErrorKind, ModelEvent, open};
pub use prompt::{ChatRequest, InvalidRequest, MAX_BODY_BYTES, MAX_MESSAGES, Message, RequestLimits, Role};
pub use relay::{Ending, Opening, Outcome, relay};
pub use retry::{Backoff, Retrying};
pub use sink::{EventSink, SinkError};
pub use stream_id::StreamId;
pub use tuning::{Limits, Tuning};
