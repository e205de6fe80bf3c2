//! Answers the fields of the GraphQL schema that a client asks: `startStream`, `cancelStream` and `streamEvents`.
//!
//! Everything about a prompt that can be refused is refused here, while somebody waits for the mutation's answer and
//! before anything is paid for.

#![forbid(unsafe_code)]

mod answer;
mod arguments;
mod refusal;

use auth::Caller;
use chat::{CancelRequest, ChatRequest, InvalidRequest, RequestLimits, ResumeRequest};
use lambda_runtime::{Diagnostic, LambdaEvent};
use sqs_queue::Queue;
use startup::Ledger;
use stream_log::{Queued, Store, StreamLog};
use tracing::info;

use crate::refusal::Refusal;
pub use crate::{
    answer::{Answer, RefusedError},
    arguments::{Field, FieldRequest},
};

/// How much of a stream is told at once. AppSync's limit for an answer is 5 MB, a Lambda's 6 MB; a client that lacks so
/// much is better off with several answers.
const MAX_EVENTS_BYTES: usize = 200 * 1024;

/// The function with everything it needs.
pub struct Function<S> {
    pub queue: Queue,
    pub log: StreamLog<S>,
    /// The app client whose tokens are accepted; AppSync itself accepts every client of the pool.
    pub client_id: String,
    pub request_limits: RequestLimits,
    pub ledger: Ledger,
}

impl<S: Store> Function<S> {
    /// One field. A refusal is an answer, not a failure of the function.
    pub async fn handle(&self, event: LambdaEvent<FieldRequest>) -> Result<Answer, Diagnostic> {
        let (request, context) = event.into_parts();
        let (request_id, field) = (context.request_id, request.field);
        Ok(match self.resolve(&request).await {
            Ok(answer) => {
                info!(request_id, stream_id = answer.session_id(), ?field, "resolved");
                answer
            }
            Err(refusal) => {
                self.ledger.refused(&request_id, refusal.stream_id(), refusal.code(), &refusal);
                Answer::refused(refusal.into_error())
            }
        })
    }

    async fn resolve(&self, request: &FieldRequest) -> Result<Answer, Refusal> {
        let json = request.request_json();
        let stream_id = ChatRequest::stream_id_of(&json);
        let caller = Caller::from_appsync_identity(&request.identity, &self.client_id)
            .map_err(|error| Refusal::Caller(error, stream_id.clone()))?;
        let invalid = |invalid: InvalidRequest| Refusal::Invalid(invalid.into_error(), stream_id);
        match request.field {
            Field::StartStream => {
                self.start(ChatRequest::parse(caller, &json, self.request_limits).map_err(invalid)?).await
            }
            Field::CancelStream => self.cancel(&caller, CancelRequest::parse(&json).map_err(invalid)?).await,
            Field::StreamEvents => self.events(&caller, ResumeRequest::parse(&json).map_err(invalid)?).await,
        }
    }

    /// Claimed before it is queued, so that it can be cancelled while it waits.
    async fn start(&self, request: ChatRequest) -> Result<Answer, Refusal> {
        let stream_id = request.stream_id.clone();
        match self.log.queue(&request).await {
            Ok(Queued::Send) => match self.queue.send(&appsync_job::write(request)).await {
                Ok(()) => Ok(Answer::Stream { session_id: stream_id }),
                Err(error) => Err(Refusal::Queue(error, stream_id)),
            },
            Ok(Queued::Answered) => Ok(Answer::Stream { session_id: stream_id }),
            Err(error) => Err(Refusal::Claim(error, stream_id)),
        }
    }

    async fn cancel(&self, caller: &Caller, wanted: CancelRequest) -> Result<Answer, Refusal> {
        match self.log.cancel(caller, &wanted).await {
            Ok(true) => Ok(Answer::Stream { session_id: wanted.stream_id }),
            Ok(false) => Err(Refusal::NoStream(wanted.stream_id)),
            Err(error) => Err(Refusal::Log(error, wanted.stream_id)),
        }
    }

    async fn events(&self, caller: &Caller, wanted: ResumeRequest) -> Result<Answer, Refusal> {
        let read = async {
            match self.log.find(caller, &wanted).await? {
                Some(stream) => stream.so_far(MAX_EVENTS_BYTES).await.map(Some),
                None => Ok(None),
            }
        };
        match read.await {
            Ok(Some((events, ended))) => Ok(Answer::events(&events, ended, wanted.stream_id, caller.sub())),
            Ok(None) => Err(Refusal::NoStream(wanted.stream_id)),
            Err(error) => Err(Refusal::Log(error, wanted.stream_id)),
        }
    }
}
