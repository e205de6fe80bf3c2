//! Answers `$connect`, `$disconnect` and `$default` of the WebSocket API: everything but a stream.

#![forbid(unsafe_code)]

mod message;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat::wire;
use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use lambda_runtime::{Diagnostic, LambdaEvent};
use tracing::info;

/// The subprotocol that carries the stream contract.
const SUBPROTOCOL: &str = "llm-stream.v1";

/// A response with status 200 and a body is sent to the client; one without a body only says that all is well.
pub fn handle(
    event: &LambdaEvent<ApiGatewayWebsocketProxyRequest>,
) -> Result<ApiGatewayProxyResponse, Diagnostic> {
    let request = &event.payload;
    let request_id = event.context.request_id.as_str();
    let connection_id = request.request_context.connection_id.as_deref();
    match request.request_context.route_key.as_deref() {
        Some("$connect") => {
            let response = connect(&request.headers);
            info!(request_id, connection_id, status = response.status_code, "connect");
            Ok(response)
        }
        Some("$disconnect") => {
            info!(request_id, connection_id, "disconnect");
            Ok(response(200))
        }
        Some("$default") => {
            let answer = message::answer(request);
            info!(request_id, connection_id, is_error = answer.is_terminal(), "message without a stream");
            let mut response = response(200);
            response.body = Some(wire::to_json(&answer).into());
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
fn connect(headers: &HeaderMap) -> ApiGatewayProxyResponse {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offers.flat_map(|offer| offer.split(',')).any(|name| name.trim() == SUBPROTOCOL) {
        return response(400);
    }
    let mut response = response(200);
    response.headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
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
        let check = |offer: Option<&'static str>, status: i64| {
            let mut headers = HeaderMap::new();
            offer.map(|offer| headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offer)));
            let response = connect(&headers);
            assert_eq!(response.status_code, status, "{offer:?}");
            assert_eq!(response.headers.contains_key(SEC_WEBSOCKET_PROTOCOL), status == 200, "{offer:?}");
        };
        check(Some("llm-stream.v1, bearer.abc"), 200);
        check(Some("bearer.abc,llm-stream.v1"), 200);
        check(Some("llm-stream.v2, bearer.abc"), 400);
        check(Some("bearer.llm-stream.v1"), 400);
        check(None, 400);
    }
}
