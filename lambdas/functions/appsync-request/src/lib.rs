//! Checks a `startStream` mutation and puts it into the queue.
//!
//! Everything that can be refused is refused here, while somebody waits for the mutation's answer and before
//! anything is paid for.

#![forbid(unsafe_code)]

mod arguments;

use auth::Caller;
use aws_sdk_sqs::{Client, error::SdkError, operation::send_message::SendMessageError};
use chat::{ChatRequest, Error, ErrorCode, RequestLimits};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use startup::Causes;
use tracing::{error, info, warn};

pub use arguments::StartStream;

/// The function with everything it needs.
pub struct Function {
    pub queue: Client,
    pub queue_url: String,
    /// The app client whose tokens are accepted; AppSync itself accepts every client of the pool.
    pub client_id: String,
    pub request_limits: RequestLimits,
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
        let request = match self.accept(&mutation) {
            Ok(request) => request,
            Err(refusal) => {
                warn!(request_id, refusal = refusal.code.as_str(), "refused");
                return Ok(Started::refused(refusal));
            }
        };
        let session_id = request.stream_id.to_string();
        if let Err(problem) = self.enqueue(request).await {
            error!(request_id, stream_id = session_id, error = %Causes(&problem), "not queued");
            return Ok(Started::refused(ErrorCode::Internal.into()));
        }
        info!(request_id, stream_id = session_id, "queued");
        Ok(Started::Accepted { session_id })
    }

    fn accept(&self, mutation: &StartStream) -> Result<ChatRequest, Error> {
        let caller = Caller::from_appsync_identity(&mutation.identity, &self.client_id)
            .map_err(|_| Error::from(ErrorCode::Unauthorized))?;
        ChatRequest::parse(caller, &mutation.request_json(), self.request_limits)
            .map_err(|invalid| arguments::in_graphql_names(invalid.into_error()))
    }

    async fn enqueue(&self, request: ChatRequest) -> Result<(), SdkError<SendMessageError>> {
        let job = appsync_job::write(request);
        self.queue.send_message().queue_url(&self.queue_url).message_body(job).send().await.map(|_| ())
    }
}

impl Started {
    fn refused(Error { code, message }: Error) -> Self {
        Self::Refused { error: RefusedError { code: code.as_str(), message, retryable: code.is_retryable() } }
    }
}
