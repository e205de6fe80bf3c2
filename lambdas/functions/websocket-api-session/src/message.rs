use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use chat::StreamEvent;
use serde::Deserialize;

use crate::refusal::Refusal;

/// What a message gets whose `action` has no route of its own. The connection lives on.
pub(crate) fn answer(request: &ApiGatewayWebsocketProxyRequest) -> Result<StreamEvent, Refusal> {
    match action(&websocket_api_message::body(request)) {
        Ok(Action::Ping) => Ok(StreamEvent::Ping { stream_id: None }),
        Err(problem) => Err(Refusal::Message(problem)),
    }
}

enum Action {
    Ping,
}

fn action(message: &[u8]) -> Result<Action, &'static str> {
    #[derive(Deserialize)]
    struct Message {
        action: Option<serde_json::Value>,
    }
    // A struct would also be read from an array. And of what is passed over serde_json does not look at the UTF-8.
    let message: Message = str::from_utf8(message)
        .ok()
        .filter(|text| text.trim_ascii_start().starts_with('{'))
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or("The message must be a JSON object, such as {\"action\": \"stream\", \"prompt\": \"...\"}.")?;
    match message.action.as_ref().map(serde_json::Value::as_str) {
        Some(Some("ping")) => Ok(Action::Ping),
        // API Gateway sends it elsewhere when it is text, and JSON through and through.
        Some(Some("stream" | "resume" | "cancel")) => {
            Err("A message with this action must be a text frame of valid JSON.")
        }
        Some(Some(_)) => Err("`action` must be \"stream\", \"resume\", \"cancel\" or \"ping\"."),
        Some(None) => Err("`action` must be a string: \"stream\", \"resume\", \"cancel\" or \"ping\"."),
        None => Err("`action` is missing: \"stream\", \"resume\", \"cancel\" or \"ping\"."),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use chat::wire;

    use super::*;

    #[test]
    fn a_ping_is_answered_and_everything_else_is_told_what_to_do() {
        let check = |body: &str, is_base64_encoded: bool, expect: &str| {
            let mut request = ApiGatewayWebsocketProxyRequest::default();
            request.body = Some(body.to_owned());
            request.is_base64_encoded = is_base64_encoded;
            let json = wire::to_json(&answer(&request).unwrap_or_else(Refusal::into_event));
            assert!(json.contains(expect), "{body} -> {json}");
            assert!(!json.contains("stream_id"), "{json}");
        };
        check(r#"{"action":"ping"}"#, false, r#"{"type":"ping"}"#);
        check("eyJhY3Rpb24iOiJwaW5nIn0=", true, r#"{"type":"ping"}"#);
        check(r#"{"action":"dance"}"#, false, "must be \\\"stream\\\", ");
        check(r#"{"action":7}"#, false, "must be a string");
        check("{}", false, "is missing");
        for not_an_object in ["", "null", "7", "[\"ping\"]", "{", "\u{0}", "{\"action\":\"ping\"}x"] {
            check(not_an_object, false, "must be a JSON object");
        }
        check("!!", true, "must be a JSON object");
        check(
            &BASE64_STANDARD.encode(b"{\"action\":\"ping\",\"x\":\"\xff\"}"),
            true,
            "must be a JSON object",
        );
        check(&format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)), false, "must be a JSON object");
    }
}
