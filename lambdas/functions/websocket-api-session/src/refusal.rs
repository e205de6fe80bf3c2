use chat::{Error, ErrorCode, StreamEvent};

/// A connection or a message that is not accepted. It quotes nothing: it is told to the client and logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("The subprotocol llm-stream.v1 is not offered.")]
    Subprotocol,
    #[error("{0}")]
    Message(&'static str),
}

impl Refusal {
    pub(crate) const CODE: ErrorCode = ErrorCode::InvalidRequest;

    pub(crate) fn into_event(self) -> StreamEvent {
        StreamEvent::Error { stream_id: None, seq: None, error: Error::new(Self::CODE, self.to_string()) }
    }
}
