use std::time::Duration;

use aws_call::{Call, Endpoint, Header, NotAnEndpoint, Retry, Service};
use bytes::Bytes;
use chat::{Backoff, EventSink, SinkError, StreamEvent, Tuning, wire};
use serde::Deserialize;
use startup::{Aws, HttpError, SettingsError};

/// API Gateway meters messages per 32 KB and splits them into frames of that size
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>). An event is one frame: the text
/// gets this much less the room of the other fields.
const MAX_TEXT_BYTES: usize = 32 * 1024 - 512;

/// API Gateway bills each message. At 50 tokens/s this puts three into one: the last of them leaves at once, the first is
/// two tokens late, and the first of all does not wait.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

/// The order of events is kept by having one call under way at a time, so a call that hangs must not hang for long.
const RETRY: Retry = Retry {
    backoff: Backoff { attempts: 6, base: Duration::from_millis(100), cap: Duration::from_secs(2) },
    try_for: Duration::from_secs(3),
    in_all: Duration::from_secs(10),
};

const HEADERS: [Header; 1] = [("content-type", "application/octet-stream")];

/// What is special about this transport's limits.
pub fn tuning() -> Tuning {
    Tuning { max_delta_bytes: MAX_TEXT_BYTES, flush_interval: FLUSH_INTERVAL, ..Tuning::default() }
}

/// The connections of one WebSocket API: its `@connections` API
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>).
#[derive(Debug)]
pub struct Connections {
    service: Service,
    url: Endpoint,
}

impl Connections {
    pub fn new(aws: &Aws, url: Endpoint) -> Result<Self, SettingsError> {
        Ok(Self { service: Service::new(aws, "execute-api")?, url })
    }

    pub(crate) fn connection(&self, id: &str) -> Result<Connection, NotAnEndpoint> {
        let url = self.url.resource("@connections", id)?;
        Ok(Connection { call: self.service.call(&url, &HEADERS), posted: 0 })
    }
}

/// One WebSocket connection: an event is a message.
pub(crate) struct Connection {
    call: Call,
    posted: u64,
}

#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error("API Gateway was not reached")]
    Call(#[from] HttpError),
    #[error("the connection is gone")]
    Gone,
    #[error("API Gateway answered {status}{}", reason.as_deref().unwrap_or_default())]
    Status { status: u16, reason: Option<String> },
}

impl Connection {
    /// A try without an answer is made again as well, although its message may have been delivered, or may yet be, after
    /// those that follow it: an event has a number, and the client passes over one that it has seen. Without another try
    /// there would be a hole.
    async fn post(&self, message: Bytes) -> Result<(), PostError> {
        RETRY.run(|limit| self.once(message.clone(), limit), PostError::may_pass).await
    }

    async fn once(&self, message: Bytes, limit: Duration) -> Result<(), PostError> {
        let (status, answer) = self.call.post(message, limit).await?;
        match status.as_u16() {
            _ if status.is_success() => Ok(()),
            410 => Err(PostError::Gone),
            status => Err(PostError::of(status, &answer)),
        }
    }
}

impl EventSink for Connection {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        for event in events {
            self.post(wire::to_json(event).into()).await.map_err(|error| match error {
                PostError::Gone => SinkError::Gone,
                error @ (PostError::Call(_) | PostError::Status { .. }) => SinkError::Failed(error.into()),
            })?;
            self.posted += 1;
        }
        Ok(())
    }

    fn messages(&self) -> u64 {
        self.posted
    }
}

impl PostError {
    /// With API Gateway's words where they say which permission is missing: those of other errors may quote the message.
    fn of(status: u16, answer: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Forbidden {
            #[serde(alias = "Message")]
            message: String,
        }
        let reason = (status == 403).then(|| serde_json::from_slice(answer).ok()).flatten();
        Self::Status { status, reason: reason.map(|Forbidden { message }| format!(": {message}")) }
    }

    fn may_pass(&self) -> bool {
        match self {
            Self::Call(_) => true,
            Self::Gone => false,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
        }
    }
}

#[cfg(test)]
mod tests;
