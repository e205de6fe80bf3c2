//! A frame of a WebSocket whose `action` has no route of its own: the route `$default`.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::FutureExt as _;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use startup::Ledger;
use stream_log::{DynamoDb, StreamLog};
use websocket_api_session::Function;

/// The refusals quote nothing, so there are not many different ones.
const MAX_ANSWER_BYTES: usize = 200;

pub(crate) fn run(data: &[u8]) {
    let answer = answer_to(BASE64_STANDARD.encode(data), true);
    let text = std::str::from_utf8(data).ok();
    if let Some(text) = text {
        assert_eq!(answer, answer_to(text.to_owned(), false), "a frame is the same, binary or text");
        // It may be no base64 at all.
        answer_to(text.to_owned(), true);
    }
    let is_pong = answer == json!({"type": "ping"});
    assert!(!is_pong || text.is_some(), "JSON is UTF-8");
    // The function passes over what it does not need; this reads it all.
    let Ok(message) = serde_json::from_slice::<Value>(data) else { return };
    let says_ping = message.is_object() && message["action"] == "ping";
    assert!(says_ping || !is_pong, "nobody asked for it");
    // A member that is there twice is left once.
    let rewritten = answer_to(message.to_string(), false);
    assert_eq!(rewritten == json!({"type": "ping"}), says_ping, "a ping is answered by a ping");
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let messages = [
        r#"{"action":"ping"}"#,
        r#" { "action" : "ping" , "more" : [null, 1e9, {"action":"stream"}] } "#,
        r#"{"action":"stream","prompt":"Hi"}"#,
        r#"{"action":"ping","action":"ping"}"#,
        r#"{"action":"\u0070ing"}"#,
        r#"{"action":"\ud800"}"#,
        r#"["ping"]"#,
        r#""ping""#,
        "{}",
        "",
    ];
    messages.map(|message| message.as_bytes().to_vec()).into()
}

/// The event that the client gets; it is one that stands outside every stream, and it is small.
fn answer_to(body: String, is_base64_encoded: bool) -> Value {
    let mut request = ApiGatewayWebsocketProxyRequest::default();
    request.request_context.route_key = Some("$default".to_owned());
    request.body = Some(body);
    request.is_base64_encoded = is_base64_encoded;
    let function = Function {
        log: StreamLog::<DynamoDb>::off(),
        ledger: Ledger::new("websocket-api-session".to_owned()),
    };
    let event = LambdaEvent::new(request, Context::default());
    let response = function.handle(event).now_or_never().expect("nothing to wait for");
    let response = response.expect("the connection lives on");
    assert_eq!(response.status_code, 200, "another status would not reach the client");
    let body = response.body.expect("an answer");
    assert!(body.len() <= MAX_ANSWER_BYTES, "{} bytes", body.len());
    let answer: Value = serde_json::from_slice(&body).expect("an event is JSON");
    golden::event(&answer);
    assert!(answer.get("stream_id").is_none() && answer.get("seq").is_none(), "{answer}");
    assert!(answer["type"] == "ping" || answer["code"] == "invalid_request", "{answer}");
    answer
}
