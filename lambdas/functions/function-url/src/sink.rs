use chat::{EventSink, SinkError, StreamEvent, wire};

use crate::{format::Format, responder::BodySender};

/// The body of the HTTP response.
///
/// Lambda gives no sign when the client of a Function URL goes away: the stream then runs on until it ends by
/// itself, bounded by `max_tokens` and the function's timeout. Where the Runtime API does close the connection,
/// [`SinkError::Gone`] follows.
pub(crate) struct BodySink {
    body: BodySender,
    format: Format,
    chunks: u64,
}

impl BodySink {
    pub(crate) fn new(body: BodySender, format: Format) -> Self {
        Self { body, format, chunks: 0 }
    }

    /// The body, to see whether it is still read.
    pub(crate) fn body(&self) -> BodySender {
        self.body.clone()
    }
}

impl EventSink for BodySink {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        let mut chunk = Vec::with_capacity(events.iter().map(wire::size_hint).sum());
        for event in events {
            self.format.write(&mut chunk, event);
        }
        if !chunk.is_empty() {
            self.body.send(chunk.into()).await.map_err(|_| SinkError::Gone)?;
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
