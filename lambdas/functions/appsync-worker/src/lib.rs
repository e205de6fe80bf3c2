//! Answers queued prompts and publishes the events to AppSync's subscribers.
//!
//! SQS delivers at least once. What this function makes of it: an answer that may have started is never generated
//! again, and a message that can never be answered reaches the dead-letter queue within minutes.

#![forbid(unsafe_code)]

mod failure;
mod message;
pub mod mutation;
mod publisher;
mod queue;

use std::{sync::Arc, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use chat::{ChatRequest, EventSink as _, Limits, Model, Opening, StreamEvent, Tuning, relay};
use futures_util::future::join_all;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use sqs_queue::Queue;
use startup::{Causes, Ledger};
use stream_log::{Attempt, Begun, Store, StreamLog};
use tokio::time::Instant;
use tracing::{error, info};

pub use crate::publisher::{Publisher, tuning};
use crate::{
    failure::{Failure, Refusal},
    message::Delivery,
    publisher::Session,
};

/// How long a prompt may wait in the queue before nobody is assumed to wait for it any more.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_mins(1);

/// The function with everything it needs.
pub struct Function<M, S> {
    pub queue: Queue,
    pub publisher: Publisher,
    pub log: StreamLog<S>,
    pub model: M,
    pub model_id: Arc<str>,
    pub max_age: Duration,
    pub tuning: Tuning,
    pub ledger: Ledger,
}

impl<M: Model, S: Store> Function<M, S> {
    /// The messages of a batch are answered side by side; those that fail are returned to the queue, alone.
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Diagnostic> {
        let (batch, context) = event.into_parts();
        let limits = self.tuning.limits(Instant::now(), startup::remaining(context.deadline));
        let answers = batch.records.iter().map(|message| self.answer(message, &context, &limits));
        let mut response = SqsBatchResponse::default();
        for (message, answer) in batch.records.iter().zip(join_all(answers).await) {
            let Err(failure) = answer else { continue };
            let message_id = message.message_id.clone().unwrap_or_default();
            error!(request_id = context.request_id, message_id, error = %Causes(&failure), "returned to the queue");
            queue::return_soon(&self.queue, message).await;
            response.add_failure(message_id);
        }
        Ok(response)
    }

    async fn answer(&self, message: &SqsMessage, context: &Context, limits: &Limits) -> Result<(), Failure> {
        let request = appsync_job::read(message.body.as_deref().unwrap_or_default())?;
        let request_id = context.request_id.as_str();
        let mut session = self.publisher.session(&request.caller, request.stream_id.clone());
        match self.log.begin(&request).await? {
            Begun::Won(attempt, keeper) => {
                keeper.keep(self.stream(message, request_id, &request, session, &attempt, limits)).await
            }
            Begun::Elsewhere => {
                info!(request_id, stream_id = request.stream_id.as_str(), "answered by another delivery");
                Ok(())
            }
            Begun::Refused(code) => {
                self.refuse(request_id, &request, &mut session, &Refusal::Before(code)).await
            }
            Begun::Died => self.refuse(request_id, &request, &mut session, &Refusal::Died).await,
        }
    }

    async fn stream(
        &self,
        message: &SqsMessage,
        request_id: &str,
        request: &ChatRequest,
        mut session: Session<'_>,
        attempt: &Attempt,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let answer = match self.open(message, request, attempt, limits).await {
            Ok(answer) => answer,
            Err(refusal) => {
                attempt.give_up(refusal.code());
                return self.refuse(request_id, request, &mut session, &refusal).await;
            }
        };
        let opening = Opening { stream_id: request.stream_id.clone(), model: self.model_id.clone() };
        let mut sink = attempt.record(session);
        let outcome = relay(opening, answer, &mut sink, limits, attempt.cancellation()).await;
        // However it went, the message is done with: tokens have been paid for, and perhaps been read.
        self.ledger.answered(request_id, &request.stream_id, &outcome);
        Ok(())
    }

    async fn open(
        &self,
        message: &SqsMessage,
        request: &ChatRequest,
        attempt: &Attempt,
        limits: &Limits,
    ) -> Result<chat::Opened<M::Answer>, Refusal> {
        match Delivery::of(message, self.max_age) {
            Delivery::First => {}
            // A log knows better: the stream was still to be taken, so nobody has begun to answer it.
            Delivery::Again if attempt.is_logged() => {}
            Delivery::Again => return Err(Refusal::Again),
            Delivery::Stale => return Err(Refusal::Stale),
        }
        let opened = chat::open(&self.model, request, limits, attempt.cancellation()).await;
        opened.map_err(Refusal::Model)
    }

    async fn refuse(
        &self,
        request_id: &str,
        request: &ChatRequest,
        session: &mut Session<'_>,
        refusal: &Refusal,
    ) -> Result<(), Failure> {
        let (code, stream_id) = (refusal.code(), Some(request.stream_id.clone()));
        self.ledger.refused(request_id, stream_id.as_ref(), code, refusal);
        let event = StreamEvent::Error { stream_id, seq: None, error: code.into() };
        session.send(&[event]).await.map_err(Failure::Publish)
    }
}
