use std::time::Duration;

use auth::Caller;
use aws_call::{Call, Endpoint, Header, Retry, Service};
use bytes::Bytes;
use chat::{Backoff, EventSink, SinkError, StreamEvent, StreamId, Tuning};
use serde::Deserialize;
use startup::{Aws, HttpError, SettingsError};

use crate::mutation::publish_token;

/// A subscriber waits behind it.
const RETRY: Retry = Retry {
    backoff: Backoff { attempts: 4, base: Duration::from_millis(100), cap: Duration::from_secs(1) },
    try_for: Duration::from_secs(3),
    in_all: Duration::from_secs(12),
};

const HEADERS: [Header; 1] = [("content-type", "application/json")];

/// AppSync drops a subscription payload over 240 KB without a word
/// (<https://docs.aws.amazon.com/general/latest/gr/appsync.html>); this leaves it far away.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// AppSync bills a mutation and its delivery at six times the price of a WebSocket message: 42 of them for 500 tokens at
/// 50 tokens/s, instead of 502. It is the rhythm of the stream log's chunks; the first token does not wait.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);

/// What is special about this transport's limits.
pub fn tuning() -> Tuning {
    Tuning { max_delta_bytes: MAX_TEXT_BYTES, flush_interval: FLUSH_INTERVAL, ..Tuning::default() }
}

/// Signs and sends `publishToken` mutations, all over one client and its kept-alive connection.
#[derive(Debug)]
pub struct Publisher {
    call: Call,
}

/// The subscribers of one session.
pub(crate) struct Session<'a> {
    publisher: &'a Publisher,
    owner: String,
    stream_id: StreamId,
    published: u64,
}

#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("AppSync was not reached")]
    Call(#[from] HttpError),
    #[error("AppSync answered {status}")]
    Status { status: u16 },
    /// A 200 whose body says that the mutation failed.
    #[error("AppSync refused the mutation: {0}")]
    GraphQl(String),
}

impl Publisher {
    pub fn new(aws: &Aws, url: &Endpoint) -> Result<Self, SettingsError> {
        Ok(Self { call: Service::new(aws, "appsync")?.call(url, &HEADERS) })
    }

    pub(crate) fn session(&self, caller: &Caller, stream_id: StreamId) -> Session<'_> {
        Session { publisher: self, owner: caller.sub().to_owned(), stream_id, published: 0 }
    }

    async fn publish(&self, mutation: Bytes) -> Result<(), PublishError> {
        RETRY.run(|limit| self.once(mutation.clone(), limit), PublishError::may_pass).await
    }

    async fn once(&self, mutation: Bytes, limit: Duration) -> Result<(), PublishError> {
        let (status, answer) = self.call.post(mutation, limit).await?;
        if !status.is_success() {
            return Err(PublishError::Status { status: status.as_u16() });
        }
        graphql_errors(&answer).map_or(Ok(()), |errors| Err(PublishError::GraphQl(errors)))
    }
}

impl EventSink for Session<'_> {
    /// One mutation at a time: AppSync does not keep the order of mutations that overlap.
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        for event in events {
            let mutation = publish_token(event, self.stream_id.as_str(), &self.owner);
            let published = self.publisher.publish(mutation.into()).await;
            published.map_err(|error| SinkError::Failed(error.into()))?;
            self.published += 1;
        }
        Ok(())
    }

    /// Mutations; one that was tried again is one.
    fn messages(&self) -> u64 {
        self.published
    }
}

impl PublishError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Status { status } => *status == 429 || *status >= 500,
            Self::Call(_) | Self::GraphQl(_) => true,
        }
    }
}

/// The types of the errors in a GraphQL answer, if any. Not their messages: those may quote the variables, and so
/// the answer's text.
fn graphql_errors(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        errors: Option<Vec<GraphQlError>>,
    }
    #[derive(Deserialize)]
    struct GraphQlError {
        #[serde(rename = "errorType", default)]
        error_type: Option<String>,
    }
    match serde_json::from_slice::<Answer>(answer) {
        Err(_) => Some("not JSON".to_owned()),
        Ok(Answer { errors }) => {
            let errors = errors.filter(|errors| !errors.is_empty())?;
            let types =
                errors.into_iter().map(|error| error.error_type.unwrap_or_else(|| "unknown".to_owned()));
            Some(types.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_200_with_errors_is_a_failure_whose_message_is_not_repeated() {
        let check = |answer: &str, expect: Option<&str>| {
            assert_eq!(graphql_errors(answer.as_bytes()).as_deref(), expect, "{answer}");
        };
        check(r#"{"data":{"publishToken":{"seq":1}}}"#, None);
        check(r#"{"data":{},"errors":null}"#, None);
        check(r#"{"data":{},"errors":[]}"#, None);
        check(
            r#"{"data":null,"errors":[{"errorType":"Unauthorized","message":"secret"}]}"#,
            Some("Unauthorized"),
        );
        check(r#"{"errors":[{"message":"secret"}]}"#, Some("unknown"));
        check("<html>", Some("not JSON"));
    }
}
