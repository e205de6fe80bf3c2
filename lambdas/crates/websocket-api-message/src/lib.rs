//! A client's message in the event of a WebSocket API: what it says, and who says it.

#![forbid(unsafe_code)]

use auth::{Caller, NotACaller};
use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Binary frames come in base64, and so does everything that an integration's template passes on. What is not base64 is
/// not JSON either, and refused as such.
pub fn body(message: &ApiGatewayWebsocketProxyRequest) -> Vec<u8> {
    let body = message.body.as_deref().unwrap_or_default();
    if message.is_base64_encoded {
        BASE64_STANDARD.decode(body).unwrap_or_default()
    } else {
        body.as_bytes().to_vec()
    }
}

/// Whom the authorizer let in when the connection was opened, if the token is still good.
pub fn caller(message: &ApiGatewayWebsocketProxyRequest) -> Result<Caller, NotACaller> {
    Caller::from_websocket_authorizer(&message.request_context.authorizer.fields, startup::unix_now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_as_it_is_marked() {
        let check = |text: Option<&str>, is_base64_encoded: bool, expect: &[u8]| {
            let mut message = ApiGatewayWebsocketProxyRequest::default();
            message.body = text.map(str::to_owned);
            message.is_base64_encoded = is_base64_encoded;
            assert_eq!(body(&message), expect, "{text:?}");
        };
        check(Some("{}"), false, b"{}");
        check(Some("e30="), true, b"{}");
        check(Some("/w=="), true, b"\xff");
        check(Some("!!"), true, b"");
        check(None, false, b"");
    }
}
