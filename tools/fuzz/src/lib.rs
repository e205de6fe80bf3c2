//! What reads bytes that strangers wrote, and the properties that no bytes may break.
//!
//! A target takes any bytes and panics when a property is broken. `cargo test` drives each with the golden files of
//! `protocol/` and seeded mutations of them; `libfuzzer/` hands the same functions to libFuzzer (`make fuzz`).

#![forbid(unsafe_code)]

mod answer;
mod event_stream;
mod graphql_event;
mod queue_message;
mod recall;
mod request;
mod token;
mod websocket_message;

/// Something that reads bytes, with what it can be started from.
pub struct Target {
    /// Also of the binary in `libfuzzer/targets`.
    pub name: &'static str,
    /// Panics when a property is broken.
    pub run: fn(&[u8]),
    /// Inputs worth changing.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const REQUEST: Target = Target { name: "request", run: request::run, seeds: request::seeds };
pub const ANSWER: Target = Target { name: "answer", run: answer::run, seeds: answer::seeds };
pub const EVENT_STREAM: Target =
    Target { name: "event_stream", run: event_stream::run, seeds: event_stream::seeds };
pub const WEBSOCKET_MESSAGE: Target =
    Target { name: "websocket_message", run: websocket_message::run, seeds: websocket_message::seeds };
pub const QUEUE_MESSAGE: Target =
    Target { name: "queue_message", run: queue_message::run, seeds: queue_message::seeds };
pub const GRAPHQL_EVENT: Target =
    Target { name: "graphql_event", run: graphql_event::run, seeds: answer::seeds };
pub const RECALL: Target = Target { name: "recall", run: recall::run, seeds: recall::seeds };
pub const TOKEN: Target = Target { name: "token", run: token::run, seeds: token::seeds };

pub const TARGETS: [Target; 8] =
    [REQUEST, RECALL, ANSWER, EVENT_STREAM, WEBSOCKET_MESSAGE, QUEUE_MESSAGE, GRAPHQL_EVENT, TOKEN];
