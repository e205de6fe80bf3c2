use std::time::Duration;

use probe::{Architecture, Outcome, Request, Settings, Trace, function_url, stream, stream_within};
use serde_json::Value;

use crate::fakes::{self, answer, event, failure, ignore, sse};

const SSE: &str = "text/event-stream; charset=utf-8";

fn settings(url: String) -> Settings {
    Settings { function_url: url, ..Settings::default() }
}

/// What the client makes of an answer, sent in portions of this size.
async fn ask(request: &Request, answer: String, portion: usize) -> (Trace, fakes::Seen) {
    let (url, served) = fakes::http(answer, portion).await;
    let trace = stream(&settings(url), Architecture::FunctionUrl, "the-token", request, ignore).await;
    (trace, served.await.expect("served"))
}

#[tokio::test]
async fn an_answer_is_streamed_whatever_its_portions() {
    let request = Request::prompt("hi").with("max_tokens", 5);
    let id = &request.stream_id;
    let events =
        [event(id, 0, None), event(id, 1, Some("Hé")), event(id, 2, Some("llo")), event(id, 3, None)];
    for portion in [1, 2, 7, usize::MAX] {
        let (trace, seen) = ask(&request, answer("200 OK", SSE, &sse(&events)), portion).await;
        assert_eq!(trace.outcome(), Outcome::Done { stop_reason: "end_turn" });
        assert_eq!(
            (trace.text().as_str(), trace.seqs(), trace.http_status),
            ("Héllo", vec![0, 1, 2, 3], Some(200))
        );
        assert_eq!(trace.received.iter().filter(|received| received.event["type"] == "ping").count(), 4);
        assert!(trace.connect() < trace.first_token() && trace.first_token() <= trace.last_token());
        assert_eq!(seen.body, request.body);
        for line in
            ["authorization: bearer the-token", "accept: text/event-stream", "content-type: application/json"]
        {
            assert!(seen.head.lines().any(|header| header == line), "{line}");
        }
    }
}

#[tokio::test]
async fn errors_and_broken_answers_are_told_apart() {
    let request = Request::prompt("hi");
    let id = &request.stream_id;
    let (start, a, b, done) =
        (event(id, 0, None), event(id, 1, Some("a")), event(id, 2, Some("b")), event(id, 3, None));
    let ok =
        |events: &[&Value]| answer("200 OK", SSE, &sse(&events.iter().copied().cloned().collect::<Vec<_>>()));
    let refusal = r#"{"type":"error","code":"unauthorized","message":"No.","retryable":false}"#;
    let late = "the server broke the stream contract: an event after the terminal one";
    for (answer, text, complaint) in [
        (ok(&[&start, &a, &b, &done]), "ab", ""),
        (ok(&[&start, &a, &a, &b, &start, &done]), "ab", ""),
        (ok(&[&start, &a, &done]), "a", "gap: expected 2, got 3"),
        (ok(&[&start, &a]), "a", "the stream ended without a terminal event"),
        (ok(&[&start, &a, &b, &done, &event(id, 4, Some("c"))]), "ab", late),
        (ok(&[&start, &event("other", 1, Some("a"))]), "", "an event of another stream arrived"),
        (
            ok(&[]) + "id: 3\ndata: {\"type\":\"start\",\"seq\":0}\n\n",
            "",
            "the id of a server-sent event is not its seq",
        ),
        (ok(&[]) + "data: Internal Server Error\n\n", "", "the data of a server-sent event is not JSON"),
        (answer("200 OK", "application/json", refusal), "", "the answer is not text/event-stream"),
        (answer("401 Unauthorized", "application/json", refusal), "", ""),
        (
            answer("502 Bad Gateway", "application/json", r#"{"Message":"Internal Server Error"}"#),
            "",
            "request refused (HTTP 502): Internal Server Error",
        ),
        (answer("302 Found", "text/html", "elsewhere"), "", "request refused (HTTP 302): no reason given"),
    ] {
        let is_refusal = answer.contains(" 401 ");
        let (trace, _) = ask(&request, answer, usize::MAX).await;
        assert_eq!((trace.text().as_str(), failure(&trace)), (text, complaint));
        if is_refusal {
            assert_eq!(
                (trace.outcome(), trace.http_status),
                (Outcome::Error { code: "unauthorized", message: "No." }, Some(401))
            );
        }
    }
}

#[tokio::test]
async fn what_cannot_be_reached_and_what_is_silent_is_told_in_a_line() {
    let request = Request::prompt("hi");
    let (listener, address) = fakes::listen().await;
    let settings = settings(format!("http://{address}"));
    let brief = Duration::from_millis(50);
    let ask = || stream_within(&settings, Architecture::FunctionUrl, "t", &request, brief, ignore);
    assert_eq!(failure(&ask().await), "waited 50ms for the answer");
    drop(listener);
    let trace = ask().await;
    assert!(
        failure(&trace).starts_with(&format!("cannot reach http://{address}: Connection refused")),
        "{trace:?}"
    );
    assert!(failure(&trace).ends_with("(is `make local` running?)"), "{trace:?}");
    let nowhere = stream(&Settings::default(), Architecture::FunctionUrl, "t", &request, ignore).await;
    assert!(failure(&nowhere).starts_with("VITE_FUNCTION_URL is not set"), "{nowhere:?}");
}

#[tokio::test]
async fn post_parses_nothing() {
    let (url, served) =
        fakes::http(answer("415 Unsupported Media Type", "x/y", "any bytes"), usize::MAX).await;
    let got = function_url::post(&settings(url), &[("content-type", "x/z")], "[1]").await.expect("an answer");
    assert_eq!(
        (got.status, &got.headers["content-type"], &got.body[..]),
        (415, &"x/y".parse().expect("a header"), &b"any bytes"[..])
    );
    assert!(served.await.expect("served").head.contains("content-type: x/z"));
}
