use std::time::Duration;

use aws_sdk_apigatewaymanagement::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    operation::post_to_connection::PostToConnectionError,
    primitives::Blob,
};
use aws_types::SdkConfig;
use chat::{EventSink, SinkError, StreamEvent, Tuning, wire};

/// API Gateway meters messages per 32 KB and splits them into frames of that size
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>). An event is one frame: the text
/// gets this much less the room of the other fields.
const MAX_TEXT_BYTES: usize = 32 * 1024 - 512;

/// API Gateway bills each message. At 50 tokens/s this puts two or three into one, for a delay of at most three
/// frames of a screen; the first token does not wait.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

/// What is special about this transport's limits.
pub fn tuning() -> Tuning {
    Tuning { max_delta_bytes: MAX_TEXT_BYTES, flush_interval: FLUSH_INTERVAL, ..Tuning::default() }
}

/// A client for `@connections`. The order of events is kept by having one call under way at a time, so a call that
/// hangs must not hang for long. The SDK retries 429 and 5xx with jitter, nothing else.
pub fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(6)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(2));
    Client::from_conf(Builder::from(config).timeout_config(timeouts).retry_config(retries).build())
}

/// One WebSocket connection: an event is a message.
pub(crate) struct Connection {
    client: Client,
    id: String,
    posted: u64,
}

impl Connection {
    pub(crate) fn new(client: Client, id: String) -> Self {
        Self { client, id, posted: 0 }
    }
}

impl EventSink for Connection {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        for event in events {
            let call = self.client.post_to_connection().connection_id(&self.id);
            call.data(Blob::new(wire::to_json(event))).send().await.map_err(|error| {
                match error.as_service_error() {
                    Some(PostToConnectionError::GoneException(_)) => SinkError::Gone,
                    _ => SinkError::Failed(error.into()),
                }
            })?;
            self.posted += 1;
        }
        Ok(())
    }

    fn messages(&self) -> u64 {
        self.posted
    }
}
