//! Checks a `startStream` mutation and puts it into the queue.
//!
//! Everything that can be refused is refused here, while somebody waits for the mutation's answer and before
//! anything is paid for.

#![forbid(unsafe_code)]

mod arguments;
mod refusal;

use auth::Caller;
use aws_sdk_sqs::{Client, error::SdkError, operation::send_message::SendMessageError};
use chat::{ChatRequest, Error, RequestLimits, StreamId};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use startup::Ledger;
use tracing::info;

use crate::refusal::Refusal;
pub use arguments::StartStream;

/// The function with everything it needs.
pub struct Function {
    pub queue: Client,
    pub queue_url: String,
    /// The app client whose tokens are accepted; AppSync itself accepts every client of the pool.
    pub client_id: String,
    pub request_limits: RequestLimits,
    pub ledger: Ledger,
}

/// What the resolver `startStream.js` gets back.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Started {
    Accepted {
        #[serde(rename = "sessionId")]
        session_id: String,
    },
    Refused {
        error: RefusedError,
    },
}

/// The contract's error; the resolver makes a GraphQL error of it.
#[derive(Debug, Serialize)]
pub struct RefusedError {
    code: &'static str,
    message: String,
    retryable: bool,
}

impl Function {
    /// One mutation. A refusal is an answer, not a failure of the function.
    pub async fn handle(&self, event: LambdaEvent<StartStream>) -> Result<Started, Diagnostic> {
        let (mutation, context) = event.into_parts();
        let request_id = context.request_id;
        Ok(match self.start(&mutation).await {
            Ok(stream_id) => {
                info!(request_id, stream_id = stream_id.as_str(), "queued");
                Started::Accepted { session_id: stream_id.to_string() }
            }
            Err(refusal) => {
                self.ledger.refused(&request_id, refusal.stream_id(), refusal.code(), &refusal);
                Started::refused(refusal.into_error())
            }
        })
    }

    async fn start(&self, mutation: &StartStream) -> Result<StreamId, Refusal> {
        let json = mutation.request_json();
        let caller = Caller::from_appsync_identity(&mutation.identity, &self.client_id)
            .map_err(|error| Refusal::Caller(error, ChatRequest::stream_id_of(&json)))?;
        let request = ChatRequest::parse(caller, &json, self.request_limits)
            .map_err(|invalid| Refusal::Invalid(invalid.into_error(), ChatRequest::stream_id_of(&json)))?;
        let stream_id = request.stream_id.clone();
        match self.enqueue(request).await {
            Ok(()) => Ok(stream_id),
            Err(error) => Err(Refusal::Queue(error, stream_id)),
        }
    }

    async fn enqueue(&self, request: ChatRequest) -> Result<(), Box<SdkError<SendMessageError>>> {
        let job = appsync_job::write(request);
        self.queue.send_message().queue_url(&self.queue_url).message_body(job).send().await?;
        Ok(())
    }
}

impl Started {
    fn refused(Error { code, message }: Error) -> Self {
        Self::Refused { error: RefusedError { code: code.as_str(), message, retryable: code.is_retryable() } }
    }
}
