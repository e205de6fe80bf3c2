//! One suite for all three architectures: the same prompt, the same answer, and the contract's invariants.

mod support;

use std::time::Duration;

use local_cloud::bedrock::{Ending, Script};
use probe::{Architecture, Request, Trace, websocket_api::Connection};
use serde_json::{Value, json};
use support::{PATIENCE, Stage, check_contract, comparable, paced};

const TOKENS: [&str; 12] =
    ["Hel", "lo", " \"wörld\"", "\n\n", "- 日本", "語", " 🦀", "\\", "\t", "</b>", " data: x", "\r\nend"];

#[tokio::test(flavor = "multi_thread")]
async fn all_three_stream_the_same_answer() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&TOKENS, Duration::from_millis(15)));
    let mut answers: Vec<Vec<Value>> = Vec::new();
    for architecture in Architecture::ALL {
        let request = Request::prompt("What is the same everywhere?")
            .with("system", "Be brief.")
            .with("max_tokens", 99);
        let trace = stage.send(architecture, &request).await;
        check_contract(architecture.name(), &request, &trace);
        assert_eq!(trace.text(), TOKENS.concat(), "{architecture}");
        let timing = &trace.terminal().expect("a terminal event").event["timing"];
        assert!(timing["first_token_ms"].as_u64() <= timing["total_ms"].as_u64(), "{architecture}: {timing}");
        answers.push(comparable(&trace));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[1], answers[2]);
    assert_eq!(answers[0].last().expect("done")["usage"]["output_tokens"], json!(TOKENS.len()));
    let calls = stage.cloud.bedrock.calls();
    assert_eq!(calls.len(), 3, "one call of the model each");
    for call in calls {
        assert_eq!(call.request["system"], json!([{"text": "Be brief."}]));
        assert_eq!(call.request["inferenceConfig"], json!({"maxTokens": 99}));
        assert_eq!(call.request["additionalModelRequestFields"], json!({"thinking": {"type": "disabled"}}));
    }
    stage.close().await;
}

/// By arrival times, against the model's own clock: each part of the answer is here long before the model has
/// finished.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_arrive_as_they_are_generated() {
    let stage = Stage::open().await;
    let tokens = vec!["tok "; 40];
    stage.cloud.bedrock.script(paced(&tokens, Duration::from_millis(50)));
    for architecture in Architecture::ALL {
        let request = Request::prompt("go");
        let trace = stage.send(architecture, &request).await;
        check_contract(architecture.name(), &request, &trace);
        let call = stage.cloud.bedrock.calls().pop().expect("a call of the model");
        let mut tokens_read = 0;
        for received in trace.ordered().into_iter().filter(|received| !received.text().is_empty()) {
            tokens_read += received.text().matches("tok ").count();
            // Ten tokens are half a second: no machine is that busy, and no buffer that small.
            if let Some((emitted, _)) = call.tokens.get(tokens_read + 9) {
                assert!(
                    received.at < *emitted,
                    "{architecture}: token {tokens_read} came later than ten more"
                );
            }
        }
        // Of two seconds, in the longest window: a quarter of one.
        assert!(trace.deltas() >= 6, "{architecture}: {} deltas", trace.deltas());
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_run_together_do_not_mix() {
    let stage = Stage::open().await;
    let ask = |architecture, number: usize| {
        let request = Request::prompt(format!("prompt number {number}")).with("max_tokens", 30);
        let stage = &stage;
        async move {
            let trace = stage.send(architecture, &request).await;
            check_contract(architecture.name(), &request, &trace);
            (number, trace.text())
        }
    };
    let all = (0..18).map(|number| ask(Architecture::ALL[number % 3], number));
    let answers = futures_util::future::join_all(all).await;
    let calls = stage.cloud.bedrock.calls();
    assert_eq!(calls.len(), 18);
    for (number, text) in answers {
        let prompt = json!(format!("prompt number {number}"));
        let call = calls.iter().find(|call| call.request["messages"][0]["content"][0]["text"] == prompt);
        let emitted: String =
            call.expect("its call").tokens.iter().map(|(_, token)| token.as_str()).collect();
        assert_eq!(text, emitted, "prompt {number}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_websocket_carries_several_streams() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["a", "b", "c", "d"], Duration::from_millis(30)));
    let mut connection = Connection::open(&stage.settings, &stage.token).await.expect("a connection");
    let requests = ["one", "two", "three"].map(Request::prompt);
    for request in &requests {
        let mut message = request.body.clone();
        message["action"] = "stream".into();
        connection.send_text(message.to_string()).await.expect("sent");
    }
    let mut events = Vec::new();
    let mut open = requests.len();
    while open > 0 {
        let received = connection.next_event(PATIENCE).await.expect("an event").expect("an open connection");
        open -= usize::from(received.is_terminal());
        events.push(received);
    }
    for request in &requests {
        let of_this =
            events.iter().filter(|received| received.event["stream_id"] == json!(request.stream_id));
        let text: String = of_this.map(probe::Received::text).collect();
        assert_eq!(text, "abcd");
    }
    connection.close().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_longer_than_the_integrations_29_seconds_arrives_whole() {
    let stage = Stage::open().await;
    let tokens = vec!["slow "; 62];
    stage.cloud.bedrock.script(paced(&tokens, Duration::from_millis(500)));
    let request = Request::prompt("take your time");
    let trace = stage.send(Architecture::WebsocketApi, &request).await;
    check_contract("websocket-api", &request, &trace);
    assert!(trace.total().expect("an end") > Duration::from_secs(30));
    assert_eq!(trace.text(), tokens.concat());
    stage.close().await;
}

/// However the model fails, the client gets what there was and is told why, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_in_the_middle_ends_every_stream_with_one_error() {
    let stage = Stage::open().await;
    let exception = |kind: &str| Ending::Exception { after: 3, kind: kind.to_owned() };
    for (ending, code) in [
        (exception("modelStreamErrorException"), "model_unavailable"),
        (exception("throttlingException"), "model_throttled"),
        (exception("validationException"), "model_error"),
        (Ending::Truncated { after: 3 }, "truncated"),
    ] {
        stage
            .cloud
            .bedrock
            .script(Script { ending, ..paced(&["a", "b", "c", "d"], Duration::from_millis(5)) });
        for architecture in Architecture::ALL {
            let request = Request::prompt("fail");
            let trace = stage.send(architecture, &request).await;
            check_contract(architecture.name(), &request, &trace);
            assert_eq!(trace.text(), "abc", "{architecture} {code}");
            assert_eq!(terminal_code(&trace), code, "{architecture}");
        }
    }
    assert_eq!(stage.cloud.bedrock.calls().len(), 12, "nothing is asked again after the first token");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_busy_is_asked_three_times_and_then_reported() {
    let stage = Stage::open().await;
    for (times, expect) in [(2, "done"), (9, "model_throttled")] {
        for architecture in Architecture::ALL {
            let before = stage.cloud.bedrock.calls().len();
            let ending = Ending::Refused { status: 429, kind: "ThrottlingException".to_owned(), times };
            stage.cloud.bedrock.script(Script { ending, ..paced(&["ok"], Duration::from_millis(5)) });
            let trace = stage.ask(architecture, "busy?").await;
            assert_eq!(terminal_code(&trace), expect, "{architecture}");
            assert_eq!(stage.cloud.bedrock.calls().len() - before, 3, "{architecture}: tries");
            if architecture == Architecture::FunctionUrl {
                assert_eq!(trace.http_status, Some(if expect == "done" { 200 } else { 429 }));
            }
        }
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_answers_and_tokens_are_not_in_any_log() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["canary", "-answer"], Duration::from_millis(5)));
    for architecture in Architecture::ALL {
        let request = Request::prompt("canary-prompt").with("system", "canary-system");
        assert_eq!(terminal_code(&stage.send(architecture, &request).await), "done");
        let invalid = request.with("max_tokens", "canary-number").with("canary-field", 1);
        stage.send(architecture, &invalid).await;
    }
    let forged =
        stage.cloud.user_pool.sign(&json!({"sub": "canary-claim", "iss": "canary-issuer", "exp": 1}));
    for architecture in Architecture::ALL {
        probe::stream(&stage.settings, architecture, &forged, &Request::prompt("canary-prompt"), |_| {})
            .await;
    }
    let logs = stage.cloud.lambda.logs();
    for function in ["function-url", "websocket-api-stream", "appsync-worker"] {
        assert!(
            logs.iter().any(|(name, line)| name == function && line.contains("answered")),
            "{function} logs"
        );
    }
    for secret in ["canary", &stage.token, &forged, forged.split('.').nth(1).expect("claims")] {
        let leak = logs.iter().find(|(_, line)| line.contains(secret));
        assert!(leak.is_none(), "{leak:?}");
    }
    stage.close().await;
}

/// `done`, or the code of the error.
fn terminal_code(trace: &Trace) -> String {
    match trace.outcome() {
        probe::Outcome::Done { .. } => "done".to_owned(),
        probe::Outcome::Error { code, .. } => code.to_owned(),
        probe::Outcome::Failed(failure) => panic!("{failure}"),
    }
}
