use std::time::Duration;

use probe::{Architecture, Outcome, Request, Settings, Trace, stream, websocket_api::Connection};
use serde_json::{Value, json};

use crate::fakes::{self, Upgrade, event, failure, goodbye, ignore, read, write};

const SOON: Duration = Duration::from_secs(5);

fn settings(address: &str) -> Settings {
    Settings { websocket_url: format!("ws://{address}/dev"), ..Settings::default() }
}

/// Serves these events to one stream and then closes; returns the trace and what the client sent.
async fn ask(request: &Request, events: Vec<Value>) -> (Trace, Value, Vec<String>) {
    let (listener, address) = fakes::listen().await;
    let server = async move {
        let (server, offered) = fakes::upgrade(listener, Upgrade::Choose(0)).await;
        let mut server = server.expect("upgraded");
        let message = read(&mut server).await;
        for event in &events {
            write(&mut server, event).await;
        }
        // The client may have closed first.
        let _ = server.close(None).await;
        goodbye(server).await;
        (message, offered)
    };
    let settings = settings(&address);
    let client = stream(&settings, Architecture::WebsocketApi, "the-token", request, ignore);
    let (trace, (message, offered)) = tokio::join!(client, server);
    (trace, message, offered)
}

#[tokio::test]
async fn an_answer_is_streamed_past_what_is_not_its_own() {
    let request = Request::prompt("hi").with("system", "Be brief.");
    let id = &request.stream_id;
    let (trace, message, offered) = ask(
        &request,
        vec![
            json!({"message": "Endpoint request timed out", "connectionId": "c", "requestId": "r"}),
            event(id, 0, None),
            event("other", 5, Some("foreign")),
            event(id, 1, Some("a")),
            json!({"type": "ping", "stream_id": id}),
            event(id, 1, Some("a")),
            json!({"type": 5, "stream_id": id}),
            event(id, 2, Some("b")),
            event(id, 3, None),
        ],
    )
    .await;
    assert_eq!(offered, ["llm-stream.v1", "bearer.the-token"]);
    assert_eq!(message, json!({"action": "stream", "stream_id": id, "prompt": "hi", "system": "Be brief."}));
    assert_eq!(trace.outcome(), Outcome::Done { stop_reason: "end_turn" });
    assert_eq!((trace.text().as_str(), trace.seqs()), ("ab", vec![0, 1, 1, 2, 3]));
    assert!(trace.connect() < trace.first_token());
}

#[tokio::test]
async fn gaps_early_ends_and_refusals_are_told_apart() {
    let request = Request::prompt("hi");
    let id = &request.stream_id;
    let refusal = json!({"type": "error", "code": "invalid_request", "message": "No.", "retryable": false});
    for (events, complaint, outcome) in [
        (vec![event(id, 0, None), event(id, 2, Some("b"))], "gap: expected 1, got 2", None),
        (vec![event(id, 0, None)], "the stream ended without a terminal event", None),
        (vec![refusal], "", Some(Outcome::Error { code: "invalid_request", message: "No." })),
    ] {
        let (trace, _, _) = ask(&request, events).await;
        assert_eq!(failure(&trace), complaint);
        assert_eq!(trace.outcome(), outcome.unwrap_or(Outcome::Failed(complaint)));
    }
}

#[tokio::test]
async fn a_refused_upgrade_surfaces_its_status_and_a_wrong_subprotocol_is_refused() {
    for (upgrade, status, complaint) in [
        (Upgrade::Refuse(401), Some(401), "upgrade refused (HTTP 401): Unauthorized"),
        (Upgrade::Refuse(403), Some(403), "upgrade refused (HTTP 403): Unauthorized"),
        (Upgrade::Choose(1), None, "the server did not choose llm-stream.v1"),
        (Upgrade::Forget, None, "upgrade failed: "),
    ] {
        let (listener, address) = fakes::listen().await;
        let settings = settings(&address);
        let (opened, _) = tokio::join!(Connection::open(&settings, "t"), fakes::upgrade(listener, upgrade));
        let error = opened.err().expect("refused");
        assert!(error.status == status && error.to_string().starts_with(complaint), "{error:?}");

        let (listener, address) = fakes::listen().await;
        let (settings, request) = (self::settings(&address), Request::prompt("hi"));
        let client = stream(&settings, Architecture::WebsocketApi, "t", &request, ignore);
        let (trace, _) = tokio::join!(client, fakes::upgrade(listener, upgrade));
        assert!(trace.http_status == status && failure(&trace).starts_with(complaint), "{trace:?}");
        assert_eq!(trace.connected, None);
    }
}

#[tokio::test]
async fn a_connection_sends_anything_and_reads_events() {
    let (listener, address) = fakes::listen().await;
    let server = async move {
        let mut server = fakes::upgrade(listener, Upgrade::Choose(0)).await.0.expect("upgraded");
        for _ in 0..2 {
            let message = read(&mut server).await;
            write(&mut server, &json!({"type": "echo", "of": message})).await;
        }
        goodbye(server).await
    };
    let client = async move {
        let mut connection = Connection::open(&settings(&address), "t").await.expect("open");
        connection.send_text("[]").await.expect("sent");
        assert_eq!(connection.next_event(SOON).await.expect("open").expect("an echo").event["of"], json!([]));
        connection.send_binary(&b"7"[..]).await.expect("sent");
        assert_eq!(connection.next_event(SOON).await.expect("open").expect("an echo").event["of"], json!(7));
        let silence = connection.next_event(Duration::from_millis(20)).await.expect_err("nothing comes");
        assert_eq!(silence.to_string(), "waited 20ms for the next event");
        connection.close().await;
    };
    tokio::join!(server, client);
}
