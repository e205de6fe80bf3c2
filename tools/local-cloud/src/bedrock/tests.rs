use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use bytes::BytesMut;
use serde_json::json;

use super::*;
use crate::sigv4::{
    Credentials,
    testing::{self, Server, serve},
};

mod planned;
mod sources;

const PATH: &str = "/model/us.anthropic.claude-haiku-5-5-v1%3A0/converse-stream";
const ACTION: &str = "bedrock:InvokeModelWithResponseStream";

struct Client {
    server: Server,
    credentials: Credentials,
    bedrock: Bedrock,
    faults: Faults,
}

impl Client {
    async fn new(source: Source) -> Self {
        let identities = Identities::default();
        let credentials = identities.issue("worker", &[ACTION]);
        let faults = Faults::default();
        let bedrock = Bedrock::new(source, identities, faults.clone());
        Client { server: serve(bedrock.router()).await, credentials, bedrock, faults }
    }

    async fn scripted(tokens: &[&str], ending: Ending) -> Self {
        let client = Self::new(Source::BuiltIn).await;
        client.script(tokens, ending);
        client
    }

    fn script(&self, tokens: &[&str], ending: Ending) {
        self.bedrock.script(at_once(tokens, ending));
    }

    async fn send(&self, request: &Value) -> reqwest::Response {
        let url = format!("{}{PATH}", self.server.url);
        let headers = [("content-type", "application/json")];
        testing::post(&self.credentials, "bedrock", &url, &headers, request.to_string().into())
            .send()
            .await
            .unwrap()
    }

    async fn frames(&self, request: &Value) -> Vec<(String, Value)> {
        let response = self.send(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
        let mut frames = Frames::of(response);
        let mut all = Vec::new();
        while let Some(frame) = frames.next().await {
            all.push(frame);
        }
        all
    }

    /// The only call, once it is closed.
    async fn closed_call(&self) -> ModelCall {
        let waited = async {
            loop {
                let calls = self.bedrock.calls();
                if let [call] = &calls[..]
                    && call.closed.is_some()
                {
                    return call.clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waited).await.expect("closed")
    }
}

/// The frames of an answer, as they arrive.
struct Frames {
    response: reqwest::Response,
    buffer: BytesMut,
    decoder: MessageFrameDecoder,
}

impl Frames {
    fn of(response: reqwest::Response) -> Self {
        Frames { response, buffer: BytesMut::new(), decoder: MessageFrameDecoder::new() }
    }

    /// What a frame is called, and its payload.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let DecodedFrame::Complete(message) = self.decoder.decode_frame(&mut self.buffer).unwrap() {
                let header = |name: &str| {
                    let header = message.headers().iter().find(|header| header.name().as_str() == name);
                    header.map(|header| header.value().as_string().unwrap().as_str().to_owned())
                };
                assert_eq!(header(":content-type").unwrap(), "application/json");
                let name = match header(":message-type").as_deref() {
                    Some("event") => header(":event-type").unwrap(),
                    Some("exception") => header(":exception-type").unwrap(),
                    other => panic!("{other:?}"),
                };
                return Some((name, serde_json::from_slice(message.payload()).unwrap()));
            }
            let Some(chunk) = self.response.chunk().await.unwrap() else {
                assert!(self.buffer.is_empty(), "half a frame");
                return None;
            };
            self.buffer.extend_from_slice(&chunk);
        }
    }
}

fn at_once(tokens: &[&str], ending: Ending) -> Script {
    let tokens = Some(tokens.iter().map(|token| (*token).to_owned()).collect());
    let (first_token_after, between_tokens) = (Duration::ZERO, Duration::ZERO);
    Script { tokens, first_token_after, between_tokens, ending, ..Script::default() }
}

fn ask(prompt: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}], "inferenceConfig": {"maxTokens": 1000}})
}

fn stop() -> Ending {
    Ending::Stop { reason: "end_turn".to_owned() }
}

fn names(frames: &[(String, Value)]) -> Vec<&str> {
    frames.iter().map(|(name, _)| name.as_str()).collect()
}

fn text(frames: &[(String, Value)]) -> String {
    frames.iter().filter_map(|(_, payload)| payload["delta"]["text"].as_str()).collect()
}

fn payload<'a>(frames: &'a [(String, Value)], name: &str) -> &'a Value {
    &frames.iter().find(|frame| frame.0 == name).expect(name).1
}

#[tokio::test]
async fn an_answer_is_the_frames_of_converse_stream() {
    let client = Client::scripted(&["Grü", "ße ", "🦀"], stop()).await;
    let frames = client.frames(&ask("Hi there")).await;
    assert_eq!(
        names(&frames),
        [
            "messageStart",
            "contentBlockDelta",
            "contentBlockDelta",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata"
        ]
    );
    assert_eq!(frames[0].1, json!({"role": "assistant"}));
    assert_eq!(frames[1].1, json!({"contentBlockIndex": 0, "delta": {"text": "Grü"}}));
    assert_eq!(frames[4].1, json!({"contentBlockIndex": 0}));
    assert_eq!(frames[5].1, json!({"stopReason": "end_turn"}));
    assert_eq!(frames[6].1["usage"], json!({"inputTokens": 2, "outputTokens": 3, "totalTokens": 5}));
    assert!(frames[6].1["metrics"]["latencyMs"].is_u64());

    let call = client.closed_call().await;
    assert_eq!(call.model_id, "us.anthropic.claude-haiku-5-5-v1:0");
    assert_eq!((call.request, call.completed), (ask("Hi there"), true));
    assert_eq!(call.tokens.iter().map(|(_, token)| token.as_str()).collect::<String>(), "Grüße 🦀");
}

#[tokio::test]
async fn the_built_in_text_is_deterministic_and_obeys_max_tokens() {
    let client = Client::new(Source::BuiltIn).await;
    client.bedrock.script(Script {
        first_token_after: Duration::ZERO,
        between_tokens: Duration::ZERO,
        ..Script::default()
    });
    let whole = client.frames(&ask("What is a token?")).await;
    assert_eq!(text(&whole), text(&client.frames(&ask("What is a token?")).await));
    assert!(text(&whole).contains("“What is a token?”"));
    let mut short = ask("What is a token?");
    short["inferenceConfig"]["maxTokens"] = 7.into();
    let short = client.frames(&short).await;
    assert!(text(&whole).starts_with(&text(&short)));
    assert_eq!(payload(&short, "messageStop")["stopReason"], "max_tokens");
    assert_eq!(payload(&short, "metadata")["usage"]["outputTokens"], 7);
}

#[tokio::test]
async fn without_a_script_the_pace_is_human() {
    let client = Client::new(Source::BuiltIn).await;
    let mut request = ask("Hi");
    request["inferenceConfig"]["maxTokens"] = 20.into();
    client.frames(&request).await;
    let call = client.closed_call().await;
    let first = call.tokens[0].0 - call.opened;
    let rest = call.tokens[19].0 - call.tokens[0].0;
    assert!(first >= Duration::from_millis(350), "{first:?}");
    assert!(rest >= Duration::from_millis(19 * 12), "{rest:?}");
}

#[tokio::test]
async fn a_script_may_end_an_answer_badly() {
    let kind = "modelStreamErrorException".to_owned();
    let client = Client::scripted(&["a", "b", "c"], Ending::Exception { after: 2, kind }).await;
    let frames = client.frames(&ask("x")).await;
    let expected = ["messageStart", "contentBlockDelta", "contentBlockDelta", "modelStreamErrorException"];
    assert_eq!(names(&frames), expected);
    assert!(frames[3].1["message"].is_string());
    let call = client.closed_call().await;
    assert_eq!((call.completed, call.tokens.len()), (false, 2));

    let client = Client::scripted(&["a", "b"], Ending::Truncated { after: 1 }).await;
    assert_eq!(names(&client.frames(&ask("x")).await), ["messageStart", "contentBlockDelta"]);
    assert!(!client.closed_call().await.completed);
}

#[tokio::test]
async fn each_frame_leaves_at_once_and_a_dropped_connection_ends_the_call() {
    let client = Client::scripted(&["a", "b", "c"], Ending::Stall { after: 2 }).await;
    let mut frames = Frames::of(client.send(&ask("x")).await);
    for expected in ["messageStart", "contentBlockDelta", "contentBlockDelta"] {
        assert_eq!(frames.next().await.unwrap().0, expected);
    }
    assert_eq!(client.bedrock.calls()[0].closed, None);
    let dropped = Instant::now();
    drop(frames);
    let call = client.closed_call().await;
    assert!(call.closed.unwrap() - dropped < Duration::from_millis(250));
    assert_eq!((call.completed, call.tokens.len()), (false, 2));
}

#[tokio::test]
async fn a_script_may_refuse_some_calls_first() {
    let kind = "ThrottlingException".to_owned();
    let client = Client::scripted(&["a"], Ending::Refused { status: 429, kind, times: 2 }).await;
    for _ in 0..2 {
        let response = client.send(&ask("x")).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-amzn-errortype"]),
            (429, &"ThrottlingException".parse().unwrap())
        );
    }
    assert_eq!(text(&client.frames(&ask("x")).await), "a");
    let completed: Vec<bool> = client.bedrock.calls().iter().map(|call| call.completed).collect();
    assert_eq!(completed, [false, false, true]);
}

#[tokio::test]
async fn what_is_not_valid_or_not_allowed_never_reaches_the_model() {
    let mut client = Client::scripted(&["a"], stop()).await;
    let response = client.send(&json!({"messages": []})).await;
    assert_eq!(response.headers()["x-amzn-errortype"], "ValidationException");
    assert_eq!(response.status(), 400);
    assert!(response.json::<Value>().await.unwrap()["message"].is_string());
    client.credentials = client.bedrock.inner.identities.issue("other", &["sqs:SendMessage"]);
    let response = client.send(&ask("x")).await;
    assert_eq!(response.headers()["x-amzn-errortype"], "AccessDeniedException");
    assert_eq!(response.status(), 403);
    client.credentials.secret_access_key.push('x');
    assert_eq!(client.send(&ask("x")).await.headers()["x-amzn-errortype"], "InvalidSignatureException");
    let other = testing::client().post(format!("{}/model/x/invoke", client.server.url)).send().await.unwrap();
    assert_eq!(other.headers()["x-amzn-errortype"], "UnknownOperationException");
    assert!(client.bedrock.calls().is_empty());
}
