//! Streams an answer to a WebSocket connection.
//!
//! The route `stream` invokes this function asynchronously, so that an answer may take longer than the 29 s of an
//! API Gateway integration; the only way back to the client is the `@connections` API.

#![forbid(unsafe_code)]

mod connection;
mod refusal;

use std::sync::Arc;

use auth::Caller;
use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_sdk_apigatewaymanagement::Client;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chat::{Cancellation, ChatRequest, EventSink as _, Limits, Model, Opening, RequestLimits, Tuning, relay};
use lambda_runtime::{Diagnostic, LambdaEvent};
use startup::{Causes, Ledger};
use tokio::time::Instant;
use tracing::error;

use crate::{connection::Connection, refusal::Refusal};
pub use connection::{client as connections, tuning};

/// The function with everything it needs.
pub struct Function<M> {
    pub connections: Client,
    pub model: M,
    pub model_id: Arc<str>,
    pub request_limits: RequestLimits,
    pub tuning: Tuning,
    pub ledger: Ledger,
}

impl<M: Model> Function<M> {
    /// One message `{"action": "stream", ...}`. The client is told everything by events, so the invocation itself
    /// fails only when it is not known who the client is.
    pub async fn handle(
        &self,
        event: LambdaEvent<ApiGatewayWebsocketProxyRequest>,
    ) -> Result<(), Diagnostic> {
        let (message, context) = event.into_parts();
        let limits = self.tuning.limits(Instant::now(), startup::remaining(context.deadline));
        let Some(connection_id) = message.request_context.connection_id.clone() else {
            return Err(Diagnostic {
                error_type: "NoConnection".to_owned(),
                error_message: "the event has no requestContext.connectionId".to_owned(),
            });
        };
        let mut sink = Connection::new(self.connections.clone(), connection_id);
        let (request, answer) = match self.open(&message, &limits).await {
            Ok(opened) => opened,
            Err(refusal) => {
                let (code, stream_id) = (refusal.code(), refusal.stream_id());
                self.ledger.refused(&context.request_id, stream_id, code, &refusal);
                if let Err(error) = sink.send(&[refusal.into_event()]).await {
                    error!(request_id = context.request_id, error = %Causes(&error), "the refusal was not delivered");
                }
                return Ok(());
            }
        };
        let opening = Opening { stream_id: request.stream_id.clone(), model: self.model_id.clone() };
        let outcome = relay(opening, answer, &mut sink, &limits, &Cancellation::never()).await;
        self.ledger.answered(&context.request_id, &request.stream_id, &outcome);
        Ok(())
    }

    async fn open(
        &self,
        message: &ApiGatewayWebsocketProxyRequest,
        limits: &Limits,
    ) -> Result<(ChatRequest, chat::Opened<M::Answer>), Refusal> {
        let body = body(message);
        let stream_id = ChatRequest::stream_id_of(&body);
        let authorizer = &message.request_context.authorizer.fields;
        let caller = Caller::from_websocket_authorizer(authorizer, startup::unix_now())
            .map_err(|error| Refusal::caller(error, stream_id.clone()))?;
        let request = ChatRequest::parse(caller, &body, self.request_limits)
            .map_err(|invalid| Refusal::invalid(invalid, stream_id))?;
        match chat::open(&self.model, &request, limits, &Cancellation::never()).await {
            Ok(answer) => Ok((request, answer)),
            Err(error) => Err(Refusal::model(error, request.stream_id)),
        }
    }
}

/// The integration's template sends the message in base64. What is not base64 is not JSON either, and refused as
/// such.
fn body(message: &ApiGatewayWebsocketProxyRequest) -> Vec<u8> {
    let body = message.body.as_deref().unwrap_or_default();
    if message.is_base64_encoded {
        BASE64_STANDARD.decode(body).unwrap_or_default()
    } else {
        body.as_bytes().to_vec()
    }
}
