//! The rest of a stream, and the end of one.

use std::{collections::VecDeque, time::Duration};

use probe::{
    Architecture::{self, Appsync, FunctionUrl, WebsocketApi},
    ContractError, Outcome, ProbeError, Request, Settings, Trace, cancel, resume, stream_resuming,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener, task::JoinHandle};

use crate::{
    appsync::{Api, accept, api, data, fields},
    fakes::{self, Seen, Upgrade, answer, event, goodbye, ignore, read, sse, write},
};

const ID: &str = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";
const SOON: Duration = Duration::from_secs(5);

async fn rest(settings: &Settings, architecture: Architecture, after: Option<u64>) -> Trace {
    resume(settings, architecture, "the-token", ID, after, SOON, ignore).await
}

/// Answers one request after the other, each on a connection of its own; returns the requests' first lines.
async fn http(answers: Vec<String>) -> (Settings, JoinHandle<Vec<String>>) {
    let (listener, address) = fakes::listen().await;
    let serve = serve(listener, answers);
    (Settings { function_url: format!("http://{address}/"), ..Settings::default() }, tokio::spawn(serve))
}

async fn serve(listener: TcpListener, answers: Vec<String>) -> Vec<String> {
    let mut asked = Vec::new();
    for answer in answers {
        let (mut socket, Seen { head, .. }) = fakes::receive(&listener).await;
        assert!(head.lines().any(|line| line == "authorization: bearer the-token"));
        asked.push(head.lines().next().expect("a line").trim_end_matches(" http/1.1").to_owned());
        socket.write_all(answer.as_bytes()).await.expect("the client reads");
    }
    asked
}

fn streamed(events: &[Value]) -> String {
    answer("200 OK", "text/event-stream", &sse(events))
}

fn error(code: &str) -> Value {
    json!({"type": "error", "stream_id": ID, "code": code, "message": "No.", "retryable": false})
}

fn missing() -> String {
    answer("404 Not Found", "application/json", &error("not_found").to_string())
}

#[tokio::test]
async fn the_rest_comes_over_the_url_after_the_number_that_is_there() {
    let (a, b, done) = (event(ID, 1, Some("a")), event(ID, 2, Some("b")), event(ID, 3, None));
    for (after, events, path, text, failure) in [
        (Some(1), vec![b.clone(), done.clone()], "?after=1", "b", None),
        (Some(2), vec![done.clone()], "?after=2", "", None),
        (None, vec![event(ID, 0, None), a, b, done.clone()], "", "ab", None),
        (Some(1), vec![done], "?after=1", "", Some("gap: expected 2, got 3")),
    ] {
        let (settings, asked) = http(vec![streamed(&events)]).await;
        let trace = rest(&settings, FunctionUrl, after).await;
        assert_eq!(asked.await.expect("served"), [format!("get /streams/{ID}{path}")]);
        assert_eq!((trace.text().as_str(), trace.failure.as_deref()), (text, failure), "after {after:?}");
        if failure.is_none() {
            assert_eq!(trace.outcome(), Outcome::Done { stop_reason: "end_turn" });
        }
    }
    let (settings, _asked) = http(vec![missing()]).await;
    let trace = rest(&settings, FunctionUrl, Some(1)).await;
    assert_eq!(trace.outcome(), Outcome::Error { code: "not_found", message: "No." });
    assert_eq!(trace.http_status, Some(404));
}

#[tokio::test]
async fn the_rest_comes_over_a_websocket_after_the_number_that_is_there() {
    for (after, asked, events, outcome) in [
        (
            Some(1),
            json!({"action": "resume", "stream_id": ID, "after": 1}),
            vec![event(ID, 2, Some("b")), event(ID, 3, None)],
            Outcome::Done { stop_reason: "end_turn" },
        ),
        (
            None,
            json!({"action": "resume", "stream_id": ID}),
            vec![error("not_found")],
            Outcome::Error { code: "not_found", message: "No." },
        ),
        (
            Some(7),
            json!({"action": "resume", "stream_id": ID, "after": 7}),
            vec![error("interrupted")],
            Outcome::Error { code: "interrupted", message: "No." },
        ),
    ] {
        let (settings, served) = websocket(events).await;
        let trace = rest(&settings, WebsocketApi, after).await;
        assert_eq!((trace.outcome(), served.await.expect("served")), (outcome, asked));
    }
}

/// Answers one message with these events.
async fn websocket(events: Vec<Value>) -> (Settings, JoinHandle<Value>) {
    let (listener, address) = fakes::listen().await;
    let served = tokio::spawn(async move {
        let mut server = fakes::upgrade(listener, Upgrade::Choose(0)).await.0.expect("upgraded");
        let message = read(&mut server).await;
        for event in &events {
            write(&mut server, event).await;
        }
        goodbye(server).await;
        message
    });
    (Settings { websocket_url: format!("ws://{address}/dev"), ..Settings::default() }, served)
}

/// Publishes these events, and answers each `streamEvents` with the next of these pages.
async fn appsync(after: Option<u64>, published: Vec<Value>, pages: Vec<Value>) -> (Trace, Vec<Value>) {
    let Api { settings, realtime, graphql, .. } = api().await;
    let realtime = async {
        let (mut server, _, start) = accept(realtime).await;
        write(&mut server, &json!({"type": "start_ack", "id": start["id"]})).await;
        for fields in &published {
            write(&mut server, &data(&start["id"], fields)).await;
        }
        goodbye(server).await;
    };
    let graphql = async {
        let (mut pages, mut asked) = (VecDeque::from(pages), Vec::new());
        while let Some(page) = pages.pop_front() {
            let (mut socket, seen) = fakes::receive(&graphql).await;
            assert!(seen.body["query"].as_str().is_some_and(|query| query.contains("streamEvents(")));
            asked.push(seen.body["variables"]["after"].clone());
            let answer = answer("200 OK", "application/json", &page.to_string());
            socket.write_all(answer.as_bytes()).await.expect("the client reads");
        }
        asked
    };
    let (trace, (), asked) = tokio::join!(rest(&settings, Appsync, after), realtime, graphql);
    (trace, asked)
}

fn page(events: &[Value]) -> Value {
    let ended = events.last().is_some_and(|fields| fields["type"] == "DONE");
    json!({"data": {"streamEvents": {"events": events, "ended": ended}}})
}

#[tokio::test]
async fn what_is_published_and_what_is_logged_are_put_in_order() {
    let of = |seq, text: &'static str| fields(ID, seq, Some(text));
    let done = fields(ID, 5, None);
    for (why, published, pages, asked) in [
        (
            "all of it in the log, in two parts",
            vec![],
            vec![page(&[of(2, "b"), of(3, "c")]), page(&[of(4, "d"), done.clone()])],
            vec![json!(1), json!(3)],
        ),
        (
            "the rest is live, some of it in both",
            vec![of(3, "c"), of(4, "d"), done.clone()],
            vec![page(&[of(2, "b"), of(3, "c")])],
            vec![json!(1)],
        ),
        (
            "a number is lost that the log has only later",
            vec![of(2, "b"), of(4, "d"), done.clone()],
            vec![page(&[]), page(&[]), page(&[of(3, "c")])],
            vec![json!(1), json!(2), json!(2)],
        ),
        (
            "the end is lost",
            vec![of(2, "b"), of(3, "c"), of(4, "d")],
            vec![page(&[]), page(std::slice::from_ref(&done))],
            vec![json!(1), json!(4)],
        ),
    ] {
        let (trace, was_asked) = appsync(Some(1), published, pages).await;
        assert_eq!(trace.outcome(), Outcome::Done { stop_reason: "end_turn" }, "{why}");
        assert_eq!((trace.text().as_str(), was_asked), ("bcd", asked), "{why}");
    }
    let refused = json!({"errors": [{"errorType": "not_found", "message": "No."}]});
    let (trace, _) = appsync(None, vec![], vec![refused]).await;
    assert_eq!(trace.outcome(), Outcome::Error { code: "not_found", message: "No." });
}

#[tokio::test]
async fn a_cancelled_stream_and_a_refusal_are_told_apart() {
    let refusal = |status| {
        Err(ContractError {
            code: "not_found".into(),
            message: "No.".into(),
            retryable: false,
            retry_after: None,
            status,
        })
    };
    let told = |result| match result {
        Ok(()) => Ok(()),
        Err(ProbeError::Contract(error)) => Err(error),
        Err(error) => panic!("{error}"),
    };
    for (answer, expected) in
        [("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), Ok(())), (missing(), refusal(Some(404)))]
    {
        let (settings, asked) = http(vec![answer]).await;
        assert_eq!(told(cancel(&settings, FunctionUrl, "the-token", ID).await), expected);
        assert_eq!(asked.await.expect("served"), [format!("delete /streams/{ID}")]);
    }
    for (events, expected) in [(vec![], Ok(())), (vec![error("not_found")], refusal(None))] {
        let (settings, served) = websocket(events).await;
        assert_eq!(told(cancel(&settings, WebsocketApi, "the-token", ID).await), expected);
        assert_eq!(served.await.expect("served"), json!({"action": "cancel", "stream_id": ID}));
    }
    let limited = json!({"errors": [{"errorType": "rate_limited", "message": "No.",
        "errorInfo": {"retryable": true, "retryAfter": 7}}]});
    let error = ContractError {
        code: "rate_limited".into(),
        message: "No.".into(),
        retryable: true,
        retry_after: Some(7),
        status: Some(200),
    };
    for (body, expected) in
        [(json!({"data": {"cancelStream": {"sessionId": ID}}}), Ok(())), (limited, Err(error))]
    {
        let (url, served) =
            fakes::http(answer("200 OK", "application/json", &body.to_string()), usize::MAX).await;
        let settings = Settings { graphql_url: url, ..Settings::default() };
        assert_eq!(told(cancel(&settings, Appsync, "the-token", ID).await), expected);
        assert_eq!(served.await.expect("served").body["variables"], json!({"sessionId": ID}));
    }
}

#[tokio::test]
async fn whoever_resumes_gets_the_whole_answer_however_often_it_breaks() {
    let Value::Object(body) = json!({"prompt": "hi", "stream_id": ID}) else { unreachable!() };
    let request = Request::from_fields(body);
    let (start, a, b, done) =
        (event(ID, 0, None), event(ID, 1, Some("a")), event(ID, 2, Some("b")), event(ID, 3, None));
    let ask = "post /".to_owned();
    let get = |query: &str| format!("get /streams/{ID}{query}");
    let cut =
        || String::from("HTTP/1.1 200 OK\r\ncontent-length: 99\r\ncontent-type: text/event-stream\r\n\r\n");
    for (why, answers, asked, text, outcome) in [
        (
            "two cuts, one of them in a hole",
            vec![
                streamed(&[start.clone(), b.clone()]),
                streamed(std::slice::from_ref(&a)),
                streamed(&[b.clone(), done.clone()]),
            ],
            vec![ask.clone(), get("?after=0"), get("?after=1")],
            "ab",
            Outcome::Done { stop_reason: "end_turn" },
        ),
        (
            "the request was lost",
            vec![cut(), missing(), streamed(&[start.clone(), a.clone(), b.clone(), done.clone()])],
            vec![ask.clone(), get(""), ask.clone()],
            "ab",
            Outcome::Done { stop_reason: "end_turn" },
        ),
        (
            "there is no log",
            vec![streamed(&[start.clone(), a.clone()]), missing()],
            vec![ask.clone(), get("?after=1")],
            "a",
            Outcome::Failed("the stream ended without a terminal event"),
        ),
        (
            "whoever answered died",
            vec![
                streamed(&[start, a]),
                cut(),
                streamed(&[]) + "data: " + &error("interrupted").to_string() + "\n\n",
            ],
            vec![ask.clone(), get("?after=1"), get("?after=1")],
            "a",
            Outcome::Error { code: "interrupted", message: "No." },
        ),
    ] {
        let (settings, served) = http(answers).await;
        let mut told = String::new();
        let tell = |received: &probe::Received| told.push_str(received.text());
        let trace =
            stream_resuming(&settings, FunctionUrl, FunctionUrl, "the-token", &request, SOON, tell).await;
        assert_eq!(served.await.expect("served"), asked, "{why}");
        assert_eq!((trace.text().as_str(), trace.outcome()), (text, outcome), "{why}");
        assert_eq!(told, text, "{why}");
        let after: Vec<_> = trace.resumptions.iter().map(|resumption| resumption.after).collect();
        assert_eq!(after.len(), asked.len() - 1, "{why}: {after:?}");
    }
}
