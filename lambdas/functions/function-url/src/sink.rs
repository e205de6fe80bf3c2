use std::sync::Arc;

use chat::{EventSink, SinkError, StreamEvent};

use crate::{format::Format, runtime::delivery::Delivery};

/// The body of the HTTP response.
///
/// Lambda gives no sign when the client of a Function URL goes away: the stream then runs on until it ends by
/// itself, bounded by `max_tokens` and the function's timeout. Where the Runtime API does close the connection,
/// [`SinkError::Gone`] follows.
pub(crate) struct BodySink {
    body: Arc<Delivery>,
    format: Format,
    /// One for all chunks.
    chunk: Vec<u8>,
    chunks: u64,
}

impl BodySink {
    pub(crate) fn new(body: Arc<Delivery>, format: Format) -> Self {
        Self { body, format, chunk: Vec::new(), chunks: 0 }
    }

    /// The body, to see whether it is still read.
    pub(crate) fn body(&self) -> Arc<Delivery> {
        self.body.clone()
    }
}

impl EventSink for BodySink {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        self.chunk.clear();
        for event in events {
            self.format.write(&mut self.chunk, event);
        }
        if !self.chunk.is_empty() {
            self.body.send(&self.chunk).await.map_err(|_| SinkError::Gone)?;
            self.chunks += 1;
        }
        match (self.format, events.last()) {
            (Format::Text, Some(StreamEvent::Error { error, .. })) => {
                self.body.break_off(error.code.as_str()).await.map_err(|_| SinkError::Gone)
            }
            _ => Ok(()),
        }
    }

    /// Chunks of the body. The bare text has none for events without text.
    fn messages(&self) -> u64 {
        self.chunks
    }
}
