//! Models that are somewhere else.

use std::convert::Infallible;

use axum::{body::Body, response::IntoResponse, routing::post};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, Uri};
use tokio::sync::mpsc;

use super::*;

/// A fake OpenAI-compatible server that sends these bytes in pieces of `size`, and what it was asked.
async fn open_ai(sse: String, size: usize) -> (Server, mpsc::UnboundedReceiver<Value>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let answer = async move |body: Bytes| {
        sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
        let chunks: Vec<Bytes> = sse.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        Body::from_stream(futures_util::stream::iter(chunks).map(Ok::<_, Infallible>)).into_response()
    };
    (serve(Router::new().route("/v1/chat/completions", post(answer))).await, requests)
}

fn source(server: &Server) -> Source {
    Source::OpenAi { url: format!("{}/v1", server.url), model: "local".to_owned() }
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> String {
    format!(
        "data: {}\n\n",
        json!({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})
    )
}

#[tokio::test]
async fn an_open_ai_stream_becomes_the_same_frames_however_it_is_cut() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}});
    let sse = [
        ": ready\n\n".to_owned(),
        chunk(&json!({"role": "assistant", "content": ""}), None),
        chunk(&json!({"reasoning_content": "Hm"}), None),
        chunk(&json!({"reasoning": "m", "content": null}), None),
        chunk(&json!({"content": "Grüße "}), None),
        chunk(&json!({"content": "🦀"}), Some("stop")),
        format!("data: {usage}\n\ndata: [DONE]\n\n"),
    ]
    .concat();
    for sse in [sse.clone(), sse.replace('\n', "\r\n")] {
        for size in [1, 2, 3, 7, 64, sse.len()] {
            let (server, mut requests) = open_ai(sse.clone(), size).await;
            let client = Client::new(source(&server)).await;
            let mut request = ask("Hi");
            request["system"] = json!([{"text": "Be brief."}]);
            let frames = client.frames(&request).await;
            assert_eq!(
                names(&frames),
                [
                    "messageStart",
                    "contentBlockDelta",
                    "contentBlockDelta",
                    "contentBlockStop",
                    "contentBlockDelta",
                    "contentBlockDelta",
                    "contentBlockStop",
                    "messageStop",
                    "metadata"
                ]
            );
            let thought = json!({"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}});
            assert_eq!((text(&frames).as_str(), &frames[1].1), ("Grüße 🦀", &thought));
            assert_eq!(frames[4].1["contentBlockIndex"], 1);
            assert_eq!(frames[7].1["stopReason"], "end_turn");
            let usage = json!({"inputTokens": 11, "outputTokens": 3, "totalTokens": 14});
            assert_eq!(frames[8].1["usage"], usage);
            assert!(client.closed_call().await.completed);
            assert_eq!(
                requests.recv().await.unwrap(),
                json!({
                    "model": "local",
                    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
                    "stream": true,
                    "stream_options": {"include_usage": true},
                    "max_tokens": 1000,
                })
            );
        }
    }
}

#[tokio::test]
async fn the_end_of_an_open_ai_stream_is_told_apart() {
    let hello = chunk(&json!({"content": "Hello"}), None);
    let done = "data: [DONE]\n\n";
    let ended = |reason| [hello.clone(), chunk(&json!({}), Some(reason))].concat();
    let cases = [
        (ended("length") + done, Some("max_tokens")),
        (ended("content_filter") + done, Some("content_filtered")),
        (ended("stop"), Some("end_turn")),
        (ended("stop") + "data: [DONE]", Some("end_turn")),
        (ended("other") + done, None),
        (hello.clone(), None),
        (hello.clone() + done, None),
        (hello.clone() + "data: {\"error\":{\"message\":\"boom\"}}\n\n", None),
        (hello.clone() + "data: {\n\n", None),
        (hello.clone() + "data: {\"choices\":[{\"delta\":{\"content\":7}}]}\n\n", None),
    ];
    for (sse, stop_reason) in cases {
        let (server, _requests) = open_ai(sse.clone(), 9).await;
        let client = Client::new(source(&server)).await;
        let frames = client.frames(&ask("Hi")).await;
        assert_eq!(text(&frames), "Hello");
        if let Some(reason) = stop_reason {
            assert_eq!(payload(&frames, "messageStop")["stopReason"], reason, "{sse}");
            assert_eq!(payload(&frames, "metadata").get("usage"), None);
        } else {
            assert_eq!(frames.last().unwrap().0, "modelStreamErrorException", "{sse}");
            assert!(!frames.last().unwrap().1.to_string().contains("boom"));
        }
        assert_eq!(client.closed_call().await.completed, stop_reason.is_some());
    }
}

#[tokio::test]
async fn a_token_of_an_open_ai_server_does_not_wait_and_leaving_stops_it() {
    let (sender, receiver) = mpsc::channel::<Result<String, Infallible>>(1);
    let body = Mutex::new(Some(Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver))));
    let body = Arc::new(body);
    let answer = async move || body.lock().unwrap().take().unwrap().into_response();
    let server = serve(Router::new().route("/v1/chat/completions", post(answer))).await;
    let client = Client::new(source(&server)).await;
    sender.send(Ok(chunk(&json!({"content": "Hel"}), None))).await.unwrap();
    let mut frames = Frames::of(client.send(&ask("Hi")).await);
    assert_eq!(frames.next().await.unwrap().0, "messageStart");
    assert_eq!(frames.next().await.unwrap().1["delta"]["text"], "Hel");
    drop(frames);
    assert!(!client.closed_call().await.completed);
    tokio::time::timeout(Duration::from_secs(10), sender.closed()).await.expect("the server notices");
}

#[tokio::test]
async fn a_refusal_of_an_open_ai_server_is_one_of_bedrock() {
    for (status, expected, kind) in [
        (429, 429, "ThrottlingException"),
        (500, 503, "ServiceUnavailableException"),
        (503, 503, "ServiceUnavailableException"),
        (401, 403, "AccessDeniedException"),
        (404, 404, "ResourceNotFoundException"),
        (400, 400, "ValidationException"),
    ] {
        let answer = async move || StatusCode::from_u16(status).unwrap();
        let server = serve(Router::new().route("/v1/chat/completions", post(answer))).await;
        let response = Client::new(source(&server)).await.send(&ask("Hi")).await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["x-amzn-errortype"].to_str().unwrap()),
            (expected, kind)
        );
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(Source::OpenAi { url: url.clone(), model: "local".to_owned() }).await;
    let response = client.send(&ask("Hi")).await;
    assert_eq!(response.status(), 503);
    let message = response.json::<Value>().await.unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains(&url) && message.contains("is it running?"), "{message}");
    assert!(client.closed_call().await.tokens.is_empty());
}

#[tokio::test]
async fn another_bedrock_gets_the_request_and_its_bytes_come_back() {
    let (sender, mut requests) = mpsc::unbounded_channel();
    let answer = async move |uri: Uri, headers: HeaderMap, body: Bytes| {
        sender.send((uri, headers, body)).unwrap();
        let headers =
            [("content-type", "application/vnd.amazon.eventstream"), ("x-amzn-requestid", "theirs")];
        (StatusCode::CREATED, headers, Bytes::from_static(b"any \x00\xff bytes"))
    };
    let server = serve(Router::new().fallback(answer)).await;
    let client = Client::new(Source::Bedrock { url: format!("{}/", server.url) }).await;
    let request = json!({"messages": "not ours to judge"});
    let response = client.send(&request).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-amzn-requestid"]),
        (201, &"theirs".parse().unwrap())
    );
    assert_eq!(&response.bytes().await.unwrap()[..], b"any \x00\xff bytes");
    let (uri, headers, body) = requests.recv().await.unwrap();
    assert_eq!((uri.path(), body.to_vec()), (PATH, request.to_string().into_bytes()));
    assert_eq!(headers["content-type"], "application/json");
    assert!(!headers.contains_key("authorization") && !headers.contains_key("x-amz-security-token"));
    assert_eq!(headers["host"].to_str().unwrap(), server.url.strip_prefix("http://").unwrap());
    assert!(client.closed_call().await.completed);
}
