use chat::{Error, StreamEvent, StreamId};
use serde::Serialize;
use serde_json::Value;

/// What a resolver gets back.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Of `startStream` and `cancelStream`.
    Stream {
        #[serde(rename = "sessionId", serialize_with = "as_str")]
        session_id: StreamId,
    },
    /// Of `streamEvents`.
    Events {
        events: Vec<Value>,
        ended: bool,
        #[serde(skip)]
        session_id: StreamId,
    },
    Refused {
        error: RefusedError,
    },
}

/// The contract's error; the resolver makes a GraphQL error of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedError {
    code: &'static str,
    message: String,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Answer {
    pub(crate) fn events(events: &[StreamEvent], ended: bool, session_id: StreamId, owner: &str) -> Self {
        let fields = events.iter().map(|event| appsync_event::fields(event, session_id.as_str(), owner));
        Self::Events { events: fields.collect(), ended, session_id }
    }

    pub(crate) fn refused(Error { code, message, retry_after }: Error) -> Self {
        let retryable = code.is_retryable();
        Self::Refused { error: RefusedError { code: code.as_str(), message, retryable, retry_after } }
    }

    pub(crate) fn session_id(&self) -> Option<&str> {
        match self {
            Self::Stream { session_id } | Self::Events { session_id, .. } => Some(session_id.as_str()),
            Self::Refused { .. } => None,
        }
    }
}

fn as_str<S: serde::Serializer>(id: &StreamId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}
