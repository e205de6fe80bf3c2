//! Streams an answer as the HTTP response of a Lambda Function URL.
//!
//! `POST /` asks, `GET /streams/{stream_id}` resumes, `DELETE /streams/{stream_id}` stops; all with
//! `Authorization: Bearer <Cognito access token>`. The URL is public, so the token is verified here, before anything
//! else of the request is looked at.

#![forbid(unsafe_code)]

mod exchange;
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
use chat::{ChatRequest, Limits, Model, Opening, RequestLimits, Tuning, relay};
use lambda_http::Request;
use startup::Ledger;
use stream_log::{Attempt, Claim, Following, Keeper, Store, StreamLog};
use tokio::{select, time::Instant};
use tracing::info;

use crate::{exchange::Exchange, format::Format, refusal::Refusal, request::Route};
pub use crate::{responder::Responder, runtime::Invocation};

/// The function with everything it needs.
pub struct Function<M, F, S> {
    pub verifier: Verifier<F>,
    pub log: StreamLog<S>,
    pub model: M,
    pub model_id: Arc<str>,
    pub request_limits: RequestLimits,
    pub tuning: Tuning,
    pub ledger: Ledger,
}

/// A request that is not refused.
enum Admitted<'a, S> {
    /// A new prompt, whose stream is this request's now.
    Claimed(Format, ChatRequest, Attempt, Keeper<'a, S>),
    /// A stream out of the log.
    Recorded(Format, Following<'a, S>),
    /// A stream that will end.
    Cancelled,
}

impl<M: Model, F: FetchJwks, S: Store> Function<M, F, S> {
    /// One HTTP request. Whatever is refused is refused with a status, before the first byte of the stream.
    pub async fn handle(&self, invocation: Invocation, responder: Responder) {
        let limits = self.tuning.limits(Instant::now(), startup::remaining(invocation.deadline_ms));
        let exchange = Exchange { request_id: &invocation.request_id, ledger: &self.ledger, responder };
        match self.admit(&invocation, &limits).await {
            Ok(Admitted::Claimed(format, request, attempt, keeper)) => {
                keeper.keep(self.answer(exchange, format, &request, &attempt, &limits)).await;
            }
            Ok(Admitted::Recorded(format, stream)) => exchange.replay(format, stream, &limits).await,
            Ok(Admitted::Cancelled) => exchange.done().await,
            Err(refusal) => exchange.refuse(&refusal).await,
        }
    }

    async fn answer(
        &self,
        exchange: Exchange<'_>,
        format: Format,
        request: &ChatRequest,
        attempt: &Attempt,
        limits: &Limits,
    ) {
        let answer = match chat::open(&self.model, request, limits, attempt.cancellation()).await {
            Ok(answer) => answer,
            Err(error) => {
                attempt.give_up(error.code());
                return exchange.refuse(&Refusal::model(error, request.stream_id.clone())).await;
            }
        };
        let opening = Opening { stream_id: request.stream_id.clone(), model: self.model_id.clone() };
        let (ledger, request_id) = (exchange.ledger, exchange.request_id);
        let sink = exchange.stream(format).await;
        let body = sink.body();
        let mut sink = attempt.record(sink);
        select! {
            outcome = relay(opening, answer, &mut sink, limits, attempt.cancellation()) => {
                ledger.answered(request_id, &request.stream_id, &outcome);
            }
            // Not at the next token, which may be long in coming. The model's connection is dropped with the relay.
            () = body.closed(), if !attempt.outlives_its_client() => {
                info!(request_id, stream_id = request.stream_id.as_str(), "nobody reads the answer any more");
            }
        }
    }

    async fn admit(&self, invocation: &Invocation, limits: &Limits) -> Result<Admitted<'_, S>, Refusal> {
        let http = request::read(&invocation.payload)?;
        let route = request::route(&http)?;
        let caller = self.verifier.verify(request::bearer(&http)?).await?;
        self.admit_caller(caller, &http, route, limits).await
    }

    async fn admit_caller(
        &self,
        caller: Caller,
        http: &Request,
        route: Route<'_>,
        limits: &Limits,
    ) -> Result<Admitted<'_, S>, Refusal> {
        match route {
            Route::Ask => self.claim(caller, http, limits).await,
            Route::Resume { id } => {
                let wanted = request::resume(http, id)?;
                match self.log.find(&caller, &wanted).await? {
                    Some(stream) => Ok(Admitted::Recorded(Format::accepted_by(http), stream)),
                    None => Err(Refusal::NoStream(wanted.stream_id)),
                }
            }
            Route::Cancel { id } => {
                let wanted = request::cancel(id)?;
                if self.log.cancel(&caller, &wanted).await? {
                    Ok(Admitted::Cancelled)
                } else {
                    Err(Refusal::NoStream(wanted.stream_id))
                }
            }
        }
    }

    async fn claim(
        &self,
        caller: Caller,
        http: &Request,
        limits: &Limits,
    ) -> Result<Admitted<'_, S>, Refusal> {
        let body = request::json_body(http)?;
        let request = ChatRequest::parse(caller, body, self.request_limits)
            .map_err(|invalid| Refusal::invalid(invalid, ChatRequest::stream_id_of(body)))?;
        let format = Format::accepted_by(http);
        match self.log.claim(&request, limits).await {
            Ok(Claim::Won(attempt, keeper)) => Ok(Admitted::Claimed(format, request, attempt, keeper)),
            Ok(Claim::Answered(stream)) => Ok(Admitted::Recorded(format, stream)),
            Err(error) => Err(Refusal::Claim(error, request.stream_id)),
        }
    }
}
