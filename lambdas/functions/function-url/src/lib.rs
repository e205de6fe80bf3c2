//! Streams an answer as the HTTP response of a Lambda Function URL.
//!
//! `POST /` with `Authorization: Bearer <Cognito access token>` and the request JSON of the contract. The URL is
//! public, so the token is verified here, before the body is looked at.

#![forbid(unsafe_code)]

pub mod format;
#[cfg(test)]
mod protocol;
mod refusal;
mod request;
mod responder;
pub mod runtime;
mod sink;

use std::sync::Arc;

use auth::{Caller, FetchJwks, Verifier};
use chat::{Cancellation, ChatRequest, Limits, Model, Opening, RequestLimits, Tuning, relay};
use lambda_http::Request;
use startup::Ledger;
use tokio::time::Instant;

use crate::{format::Format, refusal::Refusal, sink::BodySink};
pub use crate::{responder::Responder, runtime::Invocation};

/// The function with everything it needs.
pub struct Function<M, F> {
    pub verifier: Verifier<F>,
    pub model: M,
    pub model_id: Arc<str>,
    pub request_limits: RequestLimits,
    pub tuning: Tuning,
    pub ledger: Ledger,
}

impl<M: Model, F: FetchJwks> Function<M, F> {
    /// One HTTP request. Whatever is refused is refused with a status, before the first byte of the stream.
    pub async fn handle(&self, invocation: Invocation, responder: Responder) {
        let limits = self.tuning.limits(Instant::now(), startup::remaining(invocation.deadline_ms));
        let (format, request, answer) = match self.open(&invocation, &limits).await {
            Ok(opened) => opened,
            Err(refusal) => {
                let (code, stream_id) = (refusal.code(), refusal.stream_id());
                self.ledger.refused(&invocation.request_id, stream_id, code, &refusal);
                return responder.whole(refusal.head(), refusal.body()).await;
            }
        };
        let mut sink = BodySink::new(responder.stream(format.head()), format);
        let opening = Opening { stream_id: request.stream_id.clone(), model: self.model_id.clone() };
        let outcome = relay(opening, answer, &mut sink, &limits, &Cancellation::never()).await;
        self.ledger.answered(&invocation.request_id, &request.stream_id, &outcome);
    }

    async fn open(
        &self,
        invocation: &Invocation,
        limits: &Limits,
    ) -> Result<(Format, ChatRequest, chat::Opened<M::Answer>), Refusal> {
        let http = request::read(&invocation.payload)?;
        request::check_route(&http)?;
        let caller = self.verifier.verify(request::bearer(&http)?).await?;
        self.open_for(caller, &http, limits).await
    }

    async fn open_for(
        &self,
        caller: Caller,
        http: &Request,
        limits: &Limits,
    ) -> Result<(Format, ChatRequest, chat::Opened<M::Answer>), Refusal> {
        let body = request::json_body(http)?;
        let request = ChatRequest::parse(caller, body, self.request_limits)
            .map_err(|invalid| Refusal::invalid(invalid, ChatRequest::stream_id_of(body)))?;
        match chat::open(&self.model, &request, limits, &Cancellation::never()).await {
            Ok(answer) => Ok((Format::accepted_by(http), request, answer)),
            Err(error) => Err(Refusal::model(error, request.stream_id)),
        }
    }
}
