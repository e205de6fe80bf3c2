//! Answers `$connect`, `$disconnect` and `$default` of the WebSocket API: everything but a stream.

#![forbid(unsafe_code)]

mod message;
mod refusal;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat::wire;
use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use lambda_runtime::{Diagnostic, LambdaEvent};
use startup::Ledger;
use tracing::info;

use crate::refusal::Refusal;

/// The subprotocol that carries the stream contract.
const SUBPROTOCOL: &str = "llm-stream.v1";

/// A response with status 200 and a body is sent to the client; one without a body only says that all is well.
pub fn handle(
    ledger: &Ledger,
    event: &LambdaEvent<ApiGatewayWebsocketProxyRequest>,
) -> Result<ApiGatewayProxyResponse, Diagnostic> {
    let request = &event.payload;
    let request_id = event.context.request_id.as_str();
    let connection_id = request.request_context.connection_id.as_deref();
    let refused = |refusal: &Refusal| ledger.refused(request_id, None, Refusal::CODE, refusal);
    match request.request_context.route_key.as_deref() {
        Some("$connect") => Ok(match connect(&request.headers) {
            Ok(response) => {
                info!(request_id, connection_id, "connect");
                response
            }
            Err(refusal) => {
                refused(&refusal);
                response(400)
            }
        }),
        Some("$disconnect") => {
            info!(request_id, connection_id, "disconnect");
            Ok(response(200))
        }
        Some("$default") => {
            let event = match message::answer(request) {
                Ok(pong) => {
                    info!(request_id, connection_id, "ping");
                    pong
                }
                Err(refusal) => {
                    refused(&refusal);
                    refusal.into_event()
                }
            };
            let mut response = response(200);
            response.body = Some(wire::to_json(&event).into());
            Ok(response)
        }
        _ => Err(Diagnostic {
            error_type: "UnknownRoute".to_owned(),
            error_message: "this function answers $connect, $disconnect and $default".to_owned(),
        }),
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
