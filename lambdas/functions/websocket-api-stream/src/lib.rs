//! Streams an answer to a WebSocket connection.
//!
//! The route `stream` invokes this function asynchronously, so that an answer may take longer than the 29 s of an
//! API Gateway integration; the only way back to the client is the `@connections` API.

#![forbid(unsafe_code)]

mod connection;
mod refusal;

use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use chat::{
    ChatRequest, EventSink as _, InvalidRequest, Limits, Model, Opening, RequestLimits, ResumeRequest,
    Tuning, relay,
};
use lambda_runtime::{Diagnostic, LambdaEvent};
use startup::{Causes, Ledger};
use stream_log::{Attempt, Claim, Following, Keeper, Store, StreamLog};
use tokio::time::Instant;
use tracing::error;

use crate::{connection::Connection, refusal::Refusal};
pub use connection::{Connections, tuning};

/// The function with everything it needs.
pub struct Function<M, S> {
    pub connections: Connections,
    pub log: StreamLog<S>,
    pub model: M,
    pub model_id: Arc<str>,
    pub request_limits: RequestLimits,
    pub tuning: Tuning,
    pub ledger: Ledger,
}

/// A message that is not refused.
enum Admitted<'a, S> {
    /// A new prompt, whose stream is this message's now.
    Claimed(ChatRequest, Attempt, Keeper<'a, S>),
    /// A stream out of the log.
    Recorded(Following<'a, S>),
}

impl<M: Model, S: Store> Function<M, S> {
    /// One message `{"action": "stream", ...}` or `{"action": "resume", ...}`. The client is told everything by events,
    /// so the invocation itself fails only when it is not known who the client is.
    pub async fn handle(
        &self,
        event: LambdaEvent<ApiGatewayWebsocketProxyRequest>,
    ) -> Result<(), Diagnostic> {
        let (message, context) = event.into_parts();
        let limits = self.tuning.limits(Instant::now(), startup::remaining(context.deadline));
        let connection_id = message.request_context.connection_id.as_deref().unwrap_or_default();
        let Ok(mut connection) = self.connections.connection(connection_id) else {
            return Err(Diagnostic {
                error_type: "NoConnection".to_owned(),
                error_message: "the event has no requestContext.connectionId".to_owned(),
            });
        };
        let request_id = context.request_id.as_str();
        match self.admit(&message, &limits).await {
            Ok(Admitted::Claimed(request, attempt, keeper)) => {
                keeper.keep(self.answer(request_id, connection, &request, &attempt, &limits)).await;
            }
            Ok(Admitted::Recorded(stream)) => stream.run(request_id, &mut connection, &limits).await,
            Err(refusal) => self.refuse(request_id, &mut connection, refusal).await,
        }
        Ok(())
    }

    async fn answer(
        &self,
        request_id: &str,
        mut connection: Connection,
        request: &ChatRequest,
        attempt: &Attempt,
        limits: &Limits,
    ) {
        let answer = match chat::open(&self.model, request, limits, attempt.cancellation()).await {
            Ok(answer) => answer,
            Err(error) => {
                attempt.give_up(error.code());
                let refusal = Refusal::Model(error, request.stream_id.clone());
                return self.refuse(request_id, &mut connection, refusal).await;
            }
        };
        let opening = Opening { stream_id: request.stream_id.clone(), model: self.model_id.clone() };
        let mut sink = attempt.record(connection);
        let outcome = relay(opening, answer, &mut sink, limits, attempt.cancellation()).await;
        self.ledger.answered(request_id, &request.stream_id, &outcome);
    }

    async fn refuse(&self, request_id: &str, connection: &mut Connection, refusal: Refusal) {
        self.ledger.refused(request_id, refusal.stream_id(), refusal.code(), &refusal);
        if let Err(error) = connection.send(&[refusal.into_event()]).await {
            error!(request_id, error = %Causes(&error), "the refusal was not delivered");
        }
    }

    async fn admit(
        &self,
        message: &ApiGatewayWebsocketProxyRequest,
        limits: &Limits,
    ) -> Result<Admitted<'_, S>, Refusal> {
        let body = websocket_api_message::body(message);
        let stream_id = ChatRequest::stream_id_of(&body);
        let caller = websocket_api_message::caller(message)
            .map_err(|error| Refusal::Caller(error, stream_id.clone()))?;
        let invalid = |invalid: InvalidRequest| Refusal::Invalid(invalid.into_error(), stream_id);
        if message.request_context.route_key.as_deref() == Some("resume") {
            let wanted = ResumeRequest::parse(&body).map_err(invalid)?;
            return match self.log.find(&caller, &wanted).await {
                Ok(Some(stream)) => Ok(Admitted::Recorded(stream)),
                Ok(None) => Err(Refusal::NoStream(wanted.stream_id)),
                Err(error) => Err(Refusal::Log(error, wanted.stream_id)),
            };
        }
        let request = ChatRequest::parse(caller, &body, self.request_limits).map_err(invalid)?;
        match self.log.claim(&request, limits).await {
            Ok(Claim::Won(attempt, keeper)) => Ok(Admitted::Claimed(request, attempt, keeper)),
            Ok(Claim::Answered(stream)) => Ok(Admitted::Recorded(stream)),
            Err(error) => Err(Refusal::Claim(error, request.stream_id)),
        }
    }
}
