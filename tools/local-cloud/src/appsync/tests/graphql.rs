//! Queries and mutations: who may, and what comes back.

use super::*;

const START: &str = "mutation S { startStream(sessionId: \"s-1\", prompt: \"hi\") { sessionId } }";
const CANCEL: &str = "mutation { cancelStream(sessionId: \"s-1\") { sessionId } }";
const READ: &str = "{ streamEvents(sessionId: \"s-1\", after: 4) { events { seq type text } ended } }";

#[tokio::test]
async fn each_caller_reaches_only_its_fields() {
    #[track_caller]
    fn check(body: &Value, refused: Option<&str>) {
        let message = refused.map(|place| format!("Not Authorized to access {place}"));
        assert_eq!(body["errors"][0]["message"].as_str(), message.as_deref(), "{body}");
        assert_eq!(body["errors"][0]["errorType"].as_str(), refused.map(|_| "Unauthorized"));
    }
    let app = api(&lambda(Ok(r#"{"sessionId": "s-1"}"#)));
    let publish = json!({ "query": PUBLISH, "variables": { "event": event("s-1", "ana", 1) } });
    let start = json!({ "query": START });
    let cancel = json!({ "query": CANCEL });
    let read = json!({ "query": READ });
    let protocol = json!({ "query": "{ protocol }" });
    for (authorization, body, refused) in [
        ("access-ana", &protocol, None),
        (WORKER, &protocol, Some("protocol on type Query")),
        ("access-ana", &start, None),
        ("id-ana", &start, Some("startStream on type Mutation")),
        (WORKER, &start, Some("startStream on type Mutation")),
        ("access-ana", &cancel, None),
        ("id-ana", &cancel, Some("cancelStream on type Mutation")),
        (WORKER, &cancel, Some("cancelStream on type Mutation")),
        ("id-ana", &read, Some("streamEvents on type Query")),
        (WORKER, &read, Some("streamEvents on type Query")),
        ("access-ana", &publish, Some("publishToken on type Mutation")),
        ("AWS4-HMAC-SHA256 stranger", &publish, Some("publishToken on type Mutation")),
        (WORKER, &publish, None),
    ] {
        let (status, answer) = ask(&app, authorization, body.clone()).await;
        assert_eq!(status, StatusCode::OK, "{authorization}");
        check(&answer, refused);
    }
    assert_eq!(app.publishes(), 1);
}

#[tokio::test]
async fn no_good_credentials_is_a_401() {
    let app = api(&lambda(Ok("{}")));
    for (authorization, error_type) in [
        ("", "UnauthorizedException"),
        ("nonsense", "UnauthorizedException"),
        ("Bearer access-ana", "UnauthorizedException"),
        ("AWS4-HMAC-SHA256 forged", "InvalidSignatureException"),
    ] {
        let (status, body) = ask(&app, authorization, json!({ "query": "{ protocol }" })).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{authorization}");
        assert_eq!(body["errors"][0]["errorType"], error_type, "{authorization}");
    }
}

#[tokio::test]
async fn the_function_gets_the_callers_identity_and_its_refusal_is_passed_on() {
    let good = lambda(Ok(r#"{"sessionId": "s-1"}"#));
    let (_, body) = ask(&api(&good), "access-ana", json!({ "query": START })).await;
    assert_eq!(body, json!({ "data": { "startStream": { "sessionId": "s-1" } } }));
    let payload = good.payloads.lock().expect("no poison").pop().expect("an invocation");
    assert_eq!(payload["arguments"], json!({ "sessionId": "s-1", "prompt": "hi" }));
    assert_eq!(payload["identity"]["sub"], "ana");

    let refused =
        lambda(Ok(r#"{"error": {"code": "invalid_request", "message": "No.", "retryable": false}}"#));
    let (status, body) = ask(&api(&refused), "access-ana", json!({ "query": START })).await;
    let error = json!({
        "path": ["startStream"], "data": null, "errorType": "invalid_request",
        "errorInfo": { "retryable": false }, "message": "No.",
        "locations": [{ "line": 1, "column": 14, "sourceName": null }],
    });
    assert_eq!((status, body), (StatusCode::OK, json!({ "data": null, "errors": [error] })));
}

#[tokio::test]
async fn a_stream_is_cancelled_and_read_back_by_the_same_function() {
    let log = lambda(Ok(r#"{"sessionId": "s-1", "ended": true, "events": [
            {"sessionId": "s-1", "owner": "ana", "type": "DELTA", "seq": 5, "text": "Hel"},
            {"sessionId": "s-1", "owner": "ana", "type": "DONE", "seq": 6}]}"#));
    let app = api(&log);
    let (_, body) = ask(&app, "access-ana", json!({ "query": CANCEL })).await;
    assert_eq!(body, json!({ "data": { "cancelStream": { "sessionId": "s-1" } } }));
    let (_, body) = ask(&app, "access-ana", json!({ "query": READ })).await;
    let events = json!([
        { "seq": 5, "type": "DELTA", "text": "Hel" },
        { "seq": 6, "type": "DONE", "text": null },
    ]);
    assert_eq!(body, json!({ "data": { "streamEvents": { "events": events, "ended": true } } }));
    let payloads = log.payloads.lock().expect("no poison");
    let asked = |at: usize| (&payloads[at]["field"], &payloads[at]["arguments"]);
    assert_eq!(asked(0), (&json!("cancelStream"), &json!({ "sessionId": "s-1" })));
    assert_eq!(asked(1), (&json!("streamEvents"), &json!({ "sessionId": "s-1", "after": 4 })));
    assert_eq!(app.publishes(), 0);
}

#[tokio::test]
async fn a_failed_function_says_nothing_of_itself() {
    for error in [
        InvokeError::UnknownFunction("secret".to_owned()),
        InvokeError::Throttled { function: "secret".to_owned(), limit: 1 },
        InvokeError::Exited { function: "secret".to_owned() },
        InvokeError::Function { error_type: "secret".to_owned(), message: "secret".to_owned() },
    ] {
        let (_, body) = ask(&api(&lambda(Err(error))), "access-ana", json!({ "query": START })).await;
        assert_eq!(body["errors"][0]["errorType"], "internal");
        assert!(!body.to_string().contains("secret"), "{body}");
    }
    let (_, body) = ask(&api(&lambda(Ok("not JSON"))), "access-ana", json!({ "query": START })).await;
    assert_eq!(body["errors"][0]["errorType"], "internal");
}

#[tokio::test]
async fn selections_are_projected() {
    let app = api(&lambda(Ok("{}")));
    for (selection, expected) in [
        ("{ seq }", json!({ "seq": 1 })),
        ("{ n: seq __typename }", json!({ "n": 1, "__typename": "StreamEvent" })),
        ("{ ...F }", json!({ "owner": "ana", "type": "DELTA" })),
        ("{ ... on StreamEvent { text code } }", json!({ "text": "Hel", "code": null })),
        ("{ seq @skip(if: true) owner }", json!({ "owner": "ana" })),
    ] {
        let fragment =
            if selection.contains("...F") { "fragment F on StreamEvent { owner type }" } else { "" };
        let query = format!(
            "mutation P($event: StreamEventInput!) {{ p: publishToken(event: $event) {selection} }} {fragment}"
        );
        let body = publish(&app, &query, &event("s-1", "ana", 1)).await;
        assert_eq!(body, json!({ "data": { "p": expected } }), "{selection}");
    }
}

#[tokio::test]
async fn a_missing_value_where_one_is_due_nulls_its_parent() {
    let app = api(&lambda(Ok(r#"{"sessionId": null}"#)));
    let (_, body) = ask(&app, "access-ana", json!({ "query": START })).await;
    assert_eq!(body["data"], Value::Null);
    assert_eq!(body["errors"][0]["path"], json!(["startStream", "sessionId"]));
}

#[tokio::test]
async fn what_is_not_a_valid_operation_is_refused() {
    let app = api(&lambda(Ok("{}")));
    let deep = "{ protocol { a { b { c } } } }";
    let many = "{ protocol a: protocol b: protocol c: protocol d: protocol e: protocol
        f: protocol g: protocol h: protocol i: protocol j: protocol }";
    for (body, status) in [
        (json!([]), 400),
        (json!({}), 400),
        (json!({ "query": 1 }), 400),
        (json!({ "query": "" }), 400),
        (json!({ "query": "{ protocol" }), 400),
        (json!({ "query": "subscription { onTokenReceived(sessionId: \"s\") { seq } }" }), 400),
        (json!({ "query": deep }), 200),
        (json!({ "query": many }), 200),
        (json!({ "query": "{ nothing }" }), 200),
        (json!({ "query": "{ __schema { types { name } } }" }), 200),
        (json!({ "query": "query A { protocol } query B { protocol }" }), 200),
        (json!({ "query": "{ protocol }", "operationName": "A" }), 200),
        (json!({ "query": PUBLISH }), 200),
        (json!({ "query": PUBLISH, "variables": { "event": { "sessionId": "s" } } }), 200),
        (
            json!({ "query": PUBLISH, "variables": { "event": { "sessionId": "s", "owner": "o", "type": "NOPE" } } }),
            200,
        ),
        (json!({ "query": "mutation { startStream(prompt: \"hi\") { sessionId } }" }), 200),
    ] {
        let (answered, answer) = ask(&app, "access-ana", body.clone()).await;
        assert_eq!(answered.as_u16(), status, "{body}");
        assert!(answer["errors"][0]["message"].is_string(), "{body}");
        assert_eq!(answer.get("data"), (status == 200).then_some(&Value::Null), "{body}");
    }
    let two = json!({ "query": "query A { a: protocol } query B { b: protocol }", "operationName": "B" });
    assert_eq!(ask(&app, "access-ana", two).await.1, json!({ "data": { "b": "llm-stream.v1" } }));
}

#[test]
fn a_schema_that_asks_for_what_is_not_here_is_refused() {
    let folder = std::env::temp_dir().join(format!("appsync-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).expect("a folder");
    let resolver =
        "export function request(ctx) { return {}; } export function response(ctx) { return null; }";
    std::fs::write(folder.join("a.js"), resolver).expect("a resolver");
    let path = folder.join("schema.graphql");
    for (schema, accepted) in [
        ("type Query { a: String }", true),
        ("type Query { a: AWSJSON @aws_iam }", true),
        ("type Query { a: String b: String }", false),
        ("type Query { a: Nothing }", false),
        ("type Query { a: String @aws_api_key }", false),
        ("type Query { a: String @aws_cognito_user_pools(cognito_groups: [\"g\"]) }", false),
        ("type Query { a: String } type Subscription { a: String }", false),
        (
            "type Query { a: String } type Subscription { a: String @aws_subscribe(mutations: [\"m\"]) }",
            false,
        ),
    ] {
        std::fs::write(&path, schema).expect("a schema");
        assert_eq!(ApiSchema::load(&path, &folder).is_ok(), accepted, "{schema}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder");
}
