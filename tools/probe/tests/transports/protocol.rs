//! The golden files of `protocol/`, served by fakes and read back.

use futures_util::SinkExt;
use probe::{Architecture, Outcome, Request, Settings, Trace, stream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::fakes::{self, Upgrade, answer, ignore};

/// A request for the golden stream, and what arrived.
async fn ask(settings: Settings, architecture: Architecture, golden: &golden::Stream) -> Trace {
    let Value::Object(fields) = json!({"prompt": "Hi", "stream_id": golden.json[0]["stream_id"]}) else {
        unreachable!()
    };
    stream(&settings, architecture, "the-token", &Request::from_fields(fields), ignore).await
}

fn check(trace: &Trace, golden: &golden::Stream) {
    let name = golden.name;
    let arrived: Vec<_> = trace.received.iter().map(|received| &received.event).collect();
    assert_eq!((arrived, &trace.failure), (golden.json.iter().collect(), &None), "{name}");
    assert_eq!(trace.text(), golden.txt, "{name}");
    let end = golden.json.last().expect("an end");
    let outcome = match trace.outcome() {
        Outcome::Done { stop_reason } => ("done", stop_reason),
        Outcome::Error { code, .. } => ("error", code),
        Outcome::Failed(reason) => panic!("{name}: {reason}"),
    };
    let said = end.get("stop_reason").or(end.get("code")).and_then(Value::as_str);
    assert_eq!((end["type"].as_str(), said), (Some(outcome.0), Some(outcome.1)), "{name}");
}

#[tokio::test]
async fn function_urls_golden_streams_are_read_in_any_portions() {
    for golden in golden::streams() {
        for portion in [1, 3, usize::MAX] {
            let (url, _) = fakes::http(answer("200 OK", "text/event-stream", golden.sse), portion).await;
            let settings = Settings { function_url: url, ..Settings::default() };
            let mut trace = ask(settings, Architecture::FunctionUrl, &golden).await;
            // In server-sent events a ping is a comment, which names no stream.
            for received in trace.received.iter_mut().filter(|received| received.event["type"] == "ping") {
                assert_eq!(received.event, json!({"type": "ping"}));
                received.event["stream_id"] = golden.json[0]["stream_id"].clone();
            }
            check(&trace, &golden);
        }
    }
}

#[tokio::test]
async fn the_golden_lines_are_read_as_websocket_messages() {
    for golden in golden::streams() {
        let ndjson = golden.ndjson;
        let (listener, address) = fakes::listen().await;
        let served = tokio::spawn(async move {
            let (server, _) = fakes::upgrade(listener, Upgrade::Choose(0)).await;
            let mut server = server.expect("an upgrade");
            fakes::read(&mut server).await;
            for line in ndjson.split_terminator('\n') {
                server.send(Message::text(line)).await.expect("the client reads");
            }
            fakes::goodbye(server).await
        });
        let settings = Settings { websocket_url: format!("ws://{address}/live"), ..Settings::default() };
        check(&ask(settings, Architecture::WebsocketApi, &golden).await, &golden);
        assert_eq!(served.await.expect("served"), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn function_urls_golden_refusals_are_the_contracts_errors() {
    for case in golden::refused() {
        let status = format!("{} Refused", case.status);
        let (url, _) =
            fakes::http(answer(&status, "application/json", &case.body.to_string()), usize::MAX).await;
        let settings = Settings { function_url: url, ..Settings::default() };
        let trace = stream(&settings, Architecture::FunctionUrl, "t", &Request::prompt("Hi"), ignore).await;
        assert_eq!((trace.http_status, &trace.failure), (Some(case.status), &None), "{}", case.name);
        let arrived: Vec<_> = trace.received.iter().map(|received| &received.event).collect();
        assert_eq!(arrived, [&case.body], "{}", case.name);
    }
}
