//! Answers `$connect`, `$disconnect`, `$default` and `cancel` of the WebSocket API: everything but a stream.

#![forbid(unsafe_code)]

mod message;
mod refusal;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat::{CancelRequest, ChatRequest, StreamEvent, wire};
use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use lambda_runtime::{Diagnostic, LambdaEvent};
use startup::Ledger;
use stream_log::{Store, StreamLog};
use tracing::info;

use crate::refusal::Refusal;

/// The subprotocol that carries the stream contract.
const SUBPROTOCOL: &str = "llm-stream.v1";

/// The function with everything it needs.
pub struct Function<S> {
    pub log: StreamLog<S>,
    pub ledger: Ledger,
}

impl<S: Store> Function<S> {
    /// A response with status 200 and a body is sent to the client; one without a body only says that all is well.
    pub async fn handle(
        &self,
        event: LambdaEvent<ApiGatewayWebsocketProxyRequest>,
    ) -> Result<ApiGatewayProxyResponse, Diagnostic> {
        let request = &event.payload;
        let request_id = event.context.request_id.as_str();
        let connection_id = request.request_context.connection_id.as_deref();
        let route = request.request_context.route_key.as_deref().unwrap_or_default();
        let answer = match route {
            "$connect" => connect(&request.headers),
            "$disconnect" => Ok(response(200)),
            "$default" => message::answer(request).map(|event| saying(&event)),
            "cancel" => self.cancel(request).await.map(|()| response(200)),
            _ => {
                return Err(Diagnostic {
                    error_type: "UnknownRoute".to_owned(),
                    error_message: "this function answers $connect, $disconnect, $default and cancel"
                        .to_owned(),
                });
            }
        };
        Ok(answer.map_or_else(
            |refusal| {
                self.ledger.refused(request_id, refusal.stream_id(), refusal.code(), &refusal);
                if route == "$connect" { response(400) } else { saying(&refusal.into_event()) }
            },
            |response| {
                info!(request_id, connection_id, route, "answered");
                response
            },
        ))
    }

    /// The stream itself says that it ends, on whichever connection it runs.
    async fn cancel(&self, message: &ApiGatewayWebsocketProxyRequest) -> Result<(), Refusal> {
        let body = websocket_api_message::body(message);
        let stream_id = ChatRequest::stream_id_of(&body);
        let caller = websocket_api_message::caller(message)
            .map_err(|error| Refusal::Caller(error, stream_id.clone()))?;
        let wanted = CancelRequest::parse(&body)
            .map_err(|invalid| Refusal::Invalid(invalid.into_error(), stream_id))?;
        match self.log.cancel(&caller, &wanted).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::NoStream(wanted.stream_id)),
            Err(error) => Err(Refusal::Log(error, wanted.stream_id)),
        }
    }
}

/// The chosen subprotocol must be named in the answer, or browsers close the connection with 1006
/// (RFC 6455, section 4.1).
fn connect(headers: &HeaderMap) -> Result<ApiGatewayProxyResponse, Refusal> {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offers.flat_map(|offer| offer.split(',')).any(|name| name.trim() == SUBPROTOCOL) {
        return Err(Refusal::Subprotocol);
    }
    let mut response = response(200);
    response.headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

fn saying(event: &StreamEvent) -> ApiGatewayProxyResponse {
    let mut response = response(200);
    response.body = Some(wire::to_json(event).into());
    response
}

fn response(status: i64) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_speaks_our_subprotocol_is_let_in_and_told_so() {
        let check = |offer: Option<&'static str>, is_let_in: bool| {
            let mut headers = HeaderMap::new();
            offer.map(|offer| headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offer)));
            let answer = connect(&headers).ok();
            let told = answer.and_then(|answer| answer.headers.get(SEC_WEBSOCKET_PROTOCOL).cloned());
            assert_eq!(told.is_some_and(|name| name == SUBPROTOCOL), is_let_in, "{offer:?}");
        };
        check(Some("llm-stream.v1, bearer.abc"), true);
        check(Some("bearer.abc,llm-stream.v1"), true);
        check(Some("llm-stream.v2, bearer.abc"), false);
        check(Some("bearer.llm-stream.v1"), false);
        check(None, false);
    }
}
