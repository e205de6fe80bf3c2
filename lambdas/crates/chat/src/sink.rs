use std::future::Future;

use crate::StreamEvent;

/// Where a stream goes: an HTTP body, a WebSocket connection, a GraphQL mutation.
pub trait EventSink {
    /// Delivers the events, in order, before it resolves. A sink retries what its transport allows and bounds
    /// every attempt in time; an error from it is final.
    fn send(&mut self, events: &[StreamEvent]) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// How many messages the transport has accepted so far: what it bills, however many events are in one.
    fn messages(&self) -> u64;
}

/// Why events could not be delivered.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Nobody is there any more. Not a fault: people close tabs.
    #[error("the client is gone")]
    Gone,
    /// The transport failed for good.
    #[error("the events could not be delivered")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
