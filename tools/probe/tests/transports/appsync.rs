use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use probe::{
    Architecture, Outcome, Request, Settings, Trace,
    appsync::{self, Message, Realtime},
    stream,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::oneshot};

use crate::fakes::{self, Server, Upgrade, answer, failure, goodbye, ignore, read, write};

/// The two endpoints of one API.
pub struct Api {
    pub settings: Settings,
    pub realtime: TcpListener,
    pub graphql: TcpListener,
    pub host: String,
}

pub async fn api() -> Api {
    let ((realtime, realtime_address), (graphql, host)) = (fakes::listen().await, fakes::listen().await);
    let settings = Settings {
        graphql_url: format!("http://{host}/graphql"),
        graphql_realtime_url: format!("ws://{realtime_address}/graphql"),
        ..Settings::default()
    };
    Api { settings, realtime, graphql, host }
}

/// `(seq, text)` as GraphQL fields, every field selected.
pub fn fields(session: &str, seq: u64, text: Option<&str>) -> Value {
    let mut fields = json!({"sessionId": session, "owner": "o", "type": "DELTA", "seq": seq, "text": text,
        "model": null, "stopReason": null, "inputTokens": null, "outputTokens": null, "firstTokenMs": null,
        "totalMs": null, "code": null, "message": null, "retryable": null});
    match (seq, text) {
        (0, _) => (fields["type"], fields["model"]) = (json!("START"), json!("m")),
        (_, Some(_)) => {}
        (_, None) => {
            (fields["type"], fields["stopReason"], fields["outputTokens"]) =
                (json!("DONE"), json!("end_turn"), json!(7));
        }
    }
    fields
}

pub fn data(id: &Value, fields: &Value) -> Value {
    json!({"type": "data", "id": id, "payload": {"data": {"onTokenReceived": fields}}})
}

/// Up to and including the reading of `start`.
pub async fn accept(realtime: TcpListener) -> (Server, Vec<String>, Value) {
    let (server, offered) = fakes::upgrade(realtime, Upgrade::Choose(0)).await;
    let mut server = server.expect("upgraded");
    assert_eq!(read(&mut server).await, json!({"type": "connection_init"}));
    write(&mut server, &json!({"type": "connection_ack", "payload": {"connectionTimeoutMs": 300_000}})).await;
    write(&mut server, &json!({"type": "ka"})).await;
    let start = read(&mut server).await;
    (server, offered, start)
}

/// Runs one stream: the mutation gets this answer, and then these events are published and the server closes.
/// Without an answer the mutation stays unanswered until the client has gone.
async fn ask(request: &Request, answer: Option<String>, events: Vec<Value>) -> (Trace, String) {
    let api = api().await;
    let (host, acknowledged) = (api.host.clone(), Arc::new(AtomicBool::new(false)));
    let standing = Arc::clone(&acknowledged);
    let (mutated, mutation) = oneshot::channel();
    let (gone, client_gone) = oneshot::channel::<()>();
    let graphql = async move {
        let (mut socket, seen) = fakes::receive(&api.graphql).await;
        assert!(acknowledged.load(Ordering::SeqCst), "the mutation came before start_ack");
        assert!(seen.head.lines().any(|line| line == "authorization: the-token"));
        let unanswered = answer.is_none();
        if let Some(answer) = answer {
            socket.write_all(answer.as_bytes()).await.expect("the client reads");
        }
        let _ = mutated.send(());
        if unanswered {
            let _ = client_gone.await;
        }
        seen.body
    };
    let realtime = async move {
        let (mut server, offered, start) = accept(api.realtime).await;
        let authorization = json!({"Authorization": "the-token", "host": host});
        assert_eq!(offered[0], "graphql-ws");
        let header =
            URL_SAFE_NO_PAD.decode(offered[1].strip_prefix("header-").expect("a header")).expect("base64");
        assert_eq!(serde_json::from_slice::<Value>(&header).expect("JSON"), authorization);
        assert_eq!(
            (&start["type"], &start["payload"]["extensions"]["authorization"]),
            (&json!("start"), &authorization)
        );
        let query: Value =
            serde_json::from_str(start["payload"]["data"].as_str().expect("a string")).expect("JSON");
        standing.store(true, Ordering::SeqCst);
        write(&mut server, &json!({"type": "start_ack", "id": start["id"]})).await;
        mutation.await.expect("a mutation");
        for fields in &events {
            write(&mut server, &data(&start["id"], fields)).await;
        }
        if events.last().is_none_or(|fields| fields["type"] == "DONE") {
            // Only a stream that ended well is stopped properly.
            assert_eq!(goodbye(server).await, [json!({"type": "stop", "id": start["id"]})]);
        } else {
            let _ = server.close(None).await;
        }
        let _ = gone.send(());
        query
    };
    let client = stream(&api.settings, Architecture::Appsync, "the-token", request, ignore);
    let (trace, mutation, query) = tokio::join!(client, graphql, realtime);
    assert_eq!(query["variables"], json!({"sessionId": request.stream_id}));
    assert!(
        mutation["query"].as_str().is_some_and(|query| query.contains("startStream(sessionId: $sessionId"))
    );
    (trace, mutation["variables"].to_string())
}

fn started(request: &Request) -> String {
    let body = json!({"data": {"startStream": {"sessionId": request.stream_id}}}).to_string();
    answer("200 OK", "application/json", &body)
}

#[tokio::test]
async fn an_answer_is_put_in_order_even_if_the_mutation_is_not_answered() {
    let request = Request::prompt("hi").with("max_tokens", 5);
    let id = &request.stream_id;
    let events = vec![
        fields(id, 1, Some("a")),
        fields(id, 0, None),
        fields(id, 3, Some("c")),
        fields(id, 3, Some("c")),
        fields(id, 2, Some("b")),
        fields(id, 4, None),
    ];
    for answer in [Some(started(&request)), None] {
        let (trace, variables) = ask(&request, answer, events.clone()).await;
        assert_eq!(variables, json!({"sessionId": id, "prompt": "hi", "maxTokens": 5}).to_string());
        assert_eq!(trace.outcome(), Outcome::Done { stop_reason: "end_turn" });
        assert_eq!((trace.text().as_str(), trace.seqs()), ("abc", vec![1, 0, 3, 3, 2, 4]));
        assert_eq!(trace.terminal().expect("an end").event["usage"], json!({"output_tokens": 7}));
        assert!(trace.connect() < trace.first_token());
    }
}

#[tokio::test]
async fn gaps_foreign_events_and_early_ends_are_failures() {
    let request = Request::prompt("hi");
    let id = &request.stream_id;
    let start = fields(id, 0, None);
    for (events, complaint) in [
        (vec![start.clone(), fields(id, 2, Some("b"))], "gap: expected 1, got 2"),
        (
            std::iter::once(start.clone()).chain((2..19).map(|seq| fields(id, seq, Some("x")))).collect(),
            "gap: expected 1, got 2",
        ),
        (vec![start.clone(), fields("other", 1, Some("b"))], "an event of another stream arrived"),
        (vec![start], "the stream ended without a terminal event"),
    ] {
        let (trace, _) = ask(&request, Some(started(&request)), events).await;
        assert_eq!((failure(&trace), trace.text().as_str()), (complaint, ""));
    }
}

#[tokio::test]
async fn a_refused_mutation_is_the_contracts_error() {
    let request = Request::prompt("hi");
    for (status, kind, code) in
        [("200 OK", "rate_limited", 200), ("401 Unauthorized", "UnauthorizedException", 401)]
    {
        let error = json!({"errorType": kind, "message": "No.", "errorInfo": {"retryable": true}});
        let body = json!({"data": null, "errors": [error]}).to_string();
        let (trace, _) = ask(&request, Some(answer(status, "application/json", &body)), vec![]).await;
        assert_eq!(
            (trace.outcome(), trace.http_status),
            (Outcome::Error { code: kind, message: "No." }, Some(code))
        );
        assert_eq!(trace.terminal().expect("an end").event["retryable"], json!(true));
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_refused_subscription_surface_their_status() {
    let unauthorized = json!({"errors": [{"errorType": "UnauthorizedException", "errorCode": 401}]});
    for (refuse_connection, complaint) in [
        (true, "connection refused (HTTP 401): UnauthorizedException"),
        (false, "subscription refused (HTTP 401): UnauthorizedException"),
    ] {
        let api = api().await;
        let server = async {
            if refuse_connection {
                let mut server = fakes::upgrade(api.realtime, Upgrade::Choose(0)).await.0.expect("upgraded");
                read(&mut server).await;
                write(&mut server, &json!({"type": "connection_error", "payload": unauthorized})).await;
                goodbye(server).await;
            } else {
                let (mut server, _, start) = accept(api.realtime).await;
                write(&mut server, &json!({"type": "error", "id": start["id"], "payload": unauthorized}))
                    .await;
                goodbye(server).await;
            }
        };
        let request = Request::prompt("hi");
        let client = stream(&api.settings, Architecture::Appsync, "t", &request, ignore);
        let (trace, ()) = tokio::join!(client, server);
        assert_eq!((failure(&trace), trace.http_status), (complaint, Some(401)));
    }
}

#[tokio::test]
async fn two_subscriptions_share_a_connection() {
    let api = api().await;
    let server = async {
        let (mut server, _, one) = accept(api.realtime).await;
        write(&mut server, &json!({"type": "start_ack", "id": one["id"]})).await;
        let two = read(&mut server).await;
        write(&mut server, &data(&one["id"], &fields("one", 0, None))).await;
        write(&mut server, &json!({"type": "start_ack", "id": two["id"]})).await;
        write(&mut server, &json!({"type": "complete", "id": two["id"]})).await;
        goodbye(server).await
    };
    let client = async {
        let mut realtime = Realtime::connect(&api.settings, "t").await.expect("connected");
        let one = realtime.subscribe("one").await.expect("subscribed");
        let two = realtime.subscribe("two").await.expect("subscribed");
        let soon = probe::DEFAULT_TIMEOUT;
        let first = realtime.next(soon).await.expect("open").expect("a message");
        assert!(matches!(first, Message::Data { id, payload, .. }
            if id == one && payload["data"]["onTokenReceived"]["sessionId"] == "one"));
        let second = realtime.next(soon).await.expect("open").expect("a message");
        assert!(matches!(second, Message::Complete { id } if id == two));
        realtime.close(&[&one]).await;
    };
    let (said, ()) = tokio::join!(server, client);
    assert_eq!(said.len(), 1);
}

#[tokio::test]
async fn mutate_returns_the_answer_with_its_errors() {
    let body = json!({"errors": [{"message": "m"}]});
    let (url, served) =
        fakes::http(answer("400 Bad Request", "application/json", &body.to_string()), usize::MAX).await;
    let settings = Settings { graphql_url: url, ..Settings::default() };
    let got = appsync::mutate(&settings, "t", "mutation { x }", json!({"a": 1})).await.expect("an answer");
    assert_eq!(got, body);
    let seen = served.await.expect("served");
    assert_eq!(seen.body, json!({"query": "mutation { x }", "variables": {"a": 1}}));
}
