//! Whatever is sent, on every transport: a clear error, nothing paid, and the connection lives on.

mod support;

use probe::{Architecture, Request, appsync, function_url, websocket_api::Connection};
use serde_json::{Value, json};
use support::{PATIENCE, Stage};

const LIMIT: usize = 64 * 1024;

/// Bodies that no transport accepts, with the code and a part of the message that they get. Those of a JSON object
/// begin with `{`, so that an `action` can be put in.
fn malformed() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let invalid = |why, body: &str, message| (why, body.as_bytes().to_vec(), "invalid_request", message);
    let deep = format!(r#"{{"prompt":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    vec![
        invalid("no prompt", "{}", "exactly one of `prompt` and `messages`"),
        invalid("null", r#"{"prompt":null}"#, "exactly one of"),
        invalid("both", r#"{"prompt":"x","messages":[]}"#, "exactly one of"),
        invalid("a number", r#"{"prompt":7}"#, "`prompt`"),
        invalid("an array", r#"{"prompt":["x"]}"#, "`prompt`"),
        invalid("blank", r#"{"prompt":" \n\t"}"#, "`prompt` must not be blank"),
        invalid("NUL", r#"{"prompt":"a\u0000b"}"#, "U+0000"),
        invalid("half a surrogate pair", r#"{"prompt":"\ud800"}"#, "valid JSON"),
        invalid("a key twice", r#"{"prompt":"x","prompt":"y"}"#, "duplicate field `prompt`"),
        invalid("a key that is misspelt", r#"{"prompt":"x","max_token":1}"#, "unknown field `max_token`"),
        invalid("deep", &deep, "`prompt`"),
        invalid("cut off", r#"{"prompt":"x"#, "not valid JSON"),
        invalid(
            "negative",
            r#"{"prompt":"x","max_tokens":-1}"#,
            "`max_tokens` must be a whole number from 1 to 1024",
        ),
        invalid("zero", r#"{"prompt":"x","max_tokens":0}"#, "`max_tokens` must be"),
        invalid("over the cap", r#"{"prompt":"x","max_tokens":1025}"#, "`max_tokens` must be"),
        invalid("huge", r#"{"prompt":"x","max_tokens":1e400}"#, "number out of range"),
        invalid("a fraction", r#"{"prompt":"x","max_tokens":1.5}"#, "`max_tokens` must be"),
        invalid("a bad id", r#"{"prompt":"x","stream_id":"../../etc"}"#, "`stream_id` must be a UUID"),
        invalid("no messages", r#"{"messages":[]}"#, "0 messages"),
        invalid("a role", r#"{"messages":[{"role":"system","content":"x"}]}"#, "messages[0].role"),
        invalid("the order", r#"{"messages":[{"role":"assistant","content":"x"}]}"#, "roles alternate"),
        ("too large", sized(LIMIT + 1), "payload_too_large", "at most 65536"),
    ]
}

/// The body as a message for the route `stream`.
fn with_action(body: &[u8]) -> String {
    let fields = std::str::from_utf8(body).expect("text").strip_prefix('{').expect("an object");
    let comma = if fields == "}" { "" } else { "," };
    format!(r#"{{"action":"stream"{comma}{fields}"#)
}

/// A good request of exactly so many bytes.
fn sized(bytes: usize) -> Vec<u8> {
    let frame = r#"{"prompt":""}"#.len();
    format!(r#"{{"prompt":"{}"}}"#, "x".repeat(bytes - frame)).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn function_url_answers_with_a_status_and_the_error_event() {
    let stage = Stage::open().await;
    let bearer = format!("Bearer {}", stage.token);
    let post = async |headers: &[(&str, &str)], body: Vec<u8>| {
        let mut headers = headers.to_vec();
        headers.push(("authorization", &bearer));
        function_url::post(&stage.settings, &headers, body).await.expect("an answer")
    };
    let json_type = ("content-type", "application/json");
    let mut cases = malformed();
    for (why, body) in
        [("empty", ""), ("null", "null"), ("a number", "7"), ("an array", "[]"), ("text", "hello")]
    {
        cases.push((why, body.as_bytes().to_vec(), "invalid_request", "must be a JSON object"));
    }
    cases.push((
        "not UTF-8",
        b"{\"prompt\":\"\xff\xfe\"}".to_vec(),
        "invalid_request",
        "must be a JSON object in UTF-8",
    ));
    for (why, body, code, message) in cases {
        let answer = post(&[json_type], body).await;
        let event: Value = serde_json::from_slice(&answer.body).expect("the error event");
        assert_eq!(answer.status, if code == "payload_too_large" { 413 } else { 400 }, "{why}");
        assert_eq!((&event["type"], &event["code"]), (&json!("error"), &json!(code)), "{why}");
        assert!(event["message"].as_str().expect("a message").contains(message), "{why}: {event}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{why}");
    }
    let answer = post(&[("content-type", "text/plain")], sized(20)).await;
    assert_eq!(answer.status, 415);
    assert!(stage.cloud.bedrock.calls().is_empty(), "the model was asked");

    let answer = post(&[json_type], sized(LIMIT)).await;
    assert_eq!(answer.status, 200, "exactly the limit is allowed");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_api_answers_with_an_error_event_and_the_connection_lives_on() {
    let stage = Stage::open().await;
    let mut connection = Connection::open(&stage.settings, &stage.token).await.expect("a connection");
    for (why, body, code, message) in malformed() {
        // The gateway cannot find the route of what it cannot read: it goes to `$default`.
        let unreadable = ["cut off", "deep", "half a surrogate pair", "huge"].contains(&why);
        let message = if unreadable { "JSON" } else { message };
        connection.send_text(with_action(&body)).await.expect("sent");
        let event =
            connection.next_event(PATIENCE).await.expect("an event").expect("an open connection").event;
        assert_eq!((&event["type"], &event["code"]), (&json!("error"), &json!(code)), "{why}: {event}");
        assert!(event["message"].as_str().expect("a message").contains(message), "{why}: {event}");
    }
    for (why, text, message) in [
        ("empty", "", "must be a JSON object"),
        ("null", "null", "must be a JSON object"),
        ("a number", "7", "must be a JSON object"),
        ("an array", "[\"stream\"]", "must be a JSON object"),
        ("no action", r#"{"prompt":"x"}"#, "`action` is missing"),
        ("an unknown action", r#"{"action":"dance"}"#, "`action` must be"),
        ("an action that is a number", r#"{"action":1}"#, "`action` must be a string"),
    ] {
        connection.send_text(text).await.expect("sent");
        let event =
            connection.next_event(PATIENCE).await.expect("an event").expect("an open connection").event;
        assert_eq!(event["code"], "invalid_request", "{why}: {event}");
        assert!(event["message"].as_str().expect("a message").contains(message), "{why}: {event}");
    }
    connection.send_binary(vec![0xff, 0x00, 0x80]).await.expect("sent");
    let event = connection.next_event(PATIENCE).await.expect("an event").expect("an open connection").event;
    assert_eq!(event["code"], "invalid_request", "a binary frame: {event}");
    assert!(stage.cloud.bedrock.calls().is_empty(), "the model was asked");

    connection.send_text(r#"{"action":"ping"}"#).await.expect("sent");
    let event = connection.next_event(PATIENCE).await.expect("an event").expect("an open connection").event;
    assert_eq!(event, json!({"type": "ping"}));
    connection
        .send_text(r#"{"action":"stream","prompt":"still there?","max_tokens":2}"#)
        .await
        .expect("sent");
    loop {
        let event =
            connection.next_event(PATIENCE).await.expect("an event").expect("an open connection").event;
        if event["type"] == "done" {
            break;
        }
        assert_ne!(event["type"], "error", "{event}");
    }
    connection.close().await;
    stage.close().await;
}

/// 128 KB is API Gateway's own limit: it closes the connection, with the code for "too big" (RFC 6455: 1009).
#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_message_over_the_gateways_limit_closes_the_connection() {
    let stage = Stage::open().await;
    let mut connection = Connection::open(&stage.settings, &stage.token).await.expect("a connection");
    let text = format!(r#"{{"action":"stream","prompt":"{}"}}"#, "x".repeat(2 * LIMIT));
    let sent = connection.send_text(text).await;
    assert!(sent.is_err() || !matches!(connection.next_event(PATIENCE).await, Ok(Some(_))));
    assert!(stage.cloud.bedrock.calls().is_empty());
    let trace = stage.send(Architecture::WebsocketApi, &Request::prompt("next").with("max_tokens", 2)).await;
    assert_eq!(trace.failure, None, "others are not disturbed");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn appsync_answers_with_a_graphql_error_that_speaks_graphql() {
    let stage = Stage::open().await;
    let id = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";
    let mutate = async |variables: Value| {
        appsync::mutate(&stage.settings, &stage.token, appsync::START_STREAM, variables)
            .await
            .expect("an answer")
    };
    for (why, variables, code, message) in [
        ("no prompt", json!({"sessionId": id}), "invalid_request", "exactly one of"),
        ("blank", json!({"sessionId": id, "prompt": " "}), "invalid_request", "`prompt` must not be blank"),
        ("NUL", json!({"sessionId": id, "prompt": "\0"}), "invalid_request", "U+0000"),
        (
            "a bad id",
            json!({"sessionId": "x", "prompt": "p"}),
            "invalid_request",
            "`sessionId` must be a UUID",
        ),
        (
            "negative",
            json!({"sessionId": id, "prompt": "p", "maxTokens": -1}),
            "invalid_request",
            "`maxTokens` must be",
        ),
        (
            "over the cap",
            json!({"sessionId": id, "prompt": "p", "maxTokens": 9999}),
            "invalid_request",
            "from 1 to 1024",
        ),
        ("no messages", json!({"sessionId": id, "messages": []}), "invalid_request", "0 messages"),
        (
            "a role",
            json!({"sessionId": id, "messages": [{"role": "robot", "content": "x"}]}),
            "invalid_request",
            "messages[0].role",
        ),
        (
            "too large",
            json!({"sessionId": id, "prompt": "x".repeat(LIMIT)}),
            "payload_too_large",
            "at most 65536",
        ),
    ] {
        let answer = mutate(variables).await;
        let error = &answer["errors"][0];
        assert_eq!(error["errorType"], json!(code), "{why}: {answer}");
        assert!(error["message"].as_str().expect("a message").contains(message), "{why}: {answer}");
        assert_eq!(answer["data"], Value::Null, "{why}");
    }
    // GraphQL itself refuses these.
    for (why, variables) in [
        ("no id", json!({"prompt": "p"})),
        ("a number", json!({"sessionId": id, "prompt": 7})),
        ("a fraction", json!({"sessionId": id, "prompt": "p", "maxTokens": 1.5})),
        ("a huge number", json!({"sessionId": id, "prompt": "p", "maxTokens": 1e300})),
    ] {
        assert!(mutate(variables).await["errors"][0].is_object(), "{why}");
    }
    assert!(stage.cloud.bedrock.calls().is_empty(), "the model was asked");
    assert!(stage.cloud.queues.messages("tristream-prompts").is_empty(), "something was queued");
    let trace =
        stage.send(Architecture::Appsync, &Request::prompt("still there?").with("max_tokens", 2)).await;
    assert_eq!(trace.failure, None);
    stage.close().await;
}
