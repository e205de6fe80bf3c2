//! What happens to an answer when something on its way goes wrong, and how fast it is when nothing does.

mod support;

use std::time::Duration;

use local_cloud::{
    bedrock::{Ending, Script},
    faults::{At, CallFault, Plan},
    lambda::OnDisconnect,
};
use probe::{Architecture, Request, websocket_api::Connection};
use serde_json::json;
use support::{PATIENCE, Stage, check_contract, eventually, impatient, paced};

/// Nagle's algorithm together with delayed acknowledgements holds small writes back for 40 ms. With a token every
/// 5 ms that is easy to tell from a busy machine: half of all gaps would be far too long.
#[tokio::test(flavor = "multi_thread")]
async fn function_url_passes_tokens_on_one_by_one_without_waiting() {
    let stage = Stage::open().await;
    let tokens = vec!["token "; 60];
    stage.cloud.bedrock.script(paced(&tokens, Duration::from_millis(5)));
    let mut first_token_lags = Vec::new();
    let mut gaps = Vec::new();
    for _ in 0..15 {
        let trace = stage.ask(Architecture::FunctionUrl, "quick").await;
        assert_eq!(trace.text(), tokens.concat());
        let call = stage.cloud.bedrock.calls().pop().expect("a call of the model");
        let first =
            trace.ordered().into_iter().find(|received| !received.text().is_empty()).expect("a token").at;
        first_token_lags.push(first.saturating_duration_since(call.tokens[0].0));
        gaps.extend(trace.arrival_gaps());
    }
    let lag = median(first_token_lags);
    let gap = median(gaps);
    println!("first token {lag:?} after the model sent it; {gap:?} between arrivals (medians)");
    assert!(lag < Duration::from_millis(20), "the first token is held back: {lag:?}");
    assert!(gap < Duration::from_millis(20), "tokens come in bursts: {gap:?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_tab_stops_the_model_wherever_closing_can_be_seen() {
    let stage = Stage::with(|options| {
        options.on_disconnect = OnDisconnect::Signal;
        impatient(options);
    })
    .await;
    stage.cloud.bedrock.script(paced(&["word "; 200], Duration::from_millis(50)));
    for architecture in [Architecture::FunctionUrl, Architecture::WebsocketApi] {
        let before = stage.cloud.bedrock.calls().len();
        let request = Request::prompt("never mind");
        let (saw_text, has_text) = tokio::sync::oneshot::channel();
        let mut saw_text = Some(saw_text);
        let watch = |received: &probe::Received| {
            if !received.text().is_empty() {
                saw_text.take().map(|saw_text| saw_text.send(()));
            }
        };
        // Dropping the stream is what closing a tab does.
        tokio::select! {
            _ = probe::stream(&stage.settings, architecture, &stage.token, &request, watch) => panic!("it ended"),
            read = has_text => read.expect("text"),
        }
        let call = eventually("the model's connection to close", async || {
            stage.cloud.bedrock.calls().get(before).filter(|call| call.closed.is_some()).cloned()
        })
        .await;
        assert!(!call.completed, "{architecture}");
        assert!(call.tokens.len() < 100, "{architecture}: {} tokens were paid for", call.tokens.len());
    }
    stage.close().await;
}

/// Lambda tells a Function URL's function nothing when the client goes: the answer runs on, to its own end.
#[tokio::test(flavor = "multi_thread")]
async fn where_closing_cannot_be_seen_the_answer_ends_by_its_own_limits() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["word "; 40], Duration::from_millis(10)));
    let headers = [("authorization", format!("Bearer {}", stage.token))];
    let headers = [(headers[0].0, headers[0].1.as_str()), ("content-type", "application/json")];
    let body = r#"{"prompt":"never mind","max_tokens":20}"#;
    drop(probe::function_url::send(&stage.settings, &headers, body).await.expect("a status"));
    let call = eventually("the answer to end", async || {
        stage.cloud.bedrock.calls().first().filter(|call| call.closed.is_some()).cloned()
    })
    .await;
    assert!(call.completed);
    assert_eq!(call.tokens.len(), 20);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_busy_for_a_moment_loses_nothing() {
    let stage = Stage::open().await;
    let tokens = ["a", "b", "c", "d", "e", "f"];
    stage.cloud.bedrock.script(paced(&tokens, Duration::from_millis(80)));
    let refusals = [429, 500, 429].map(CallFault::Refuse);
    let posts = (0..).zip(refusals).map(|(call, fault)| At::once(call, fault)).collect();
    let publishes = vec![At::times(0, 2, CallFault::GraphqlErrors)];
    stage.cloud.faults.plan("", Plan { posts, publishes, ..Plan::default() });
    let request = Request::prompt("patience");
    let trace = stage.send(Architecture::WebsocketApi, &request).await;
    check_contract("websocket-api", &request, &trace);
    assert_eq!(trace.text(), tokens.concat());

    let request = Request::prompt("patience");
    let trace = stage.send(Architecture::Appsync, &request).await;
    check_contract("appsync", &request, &trace);
    assert_eq!(trace.text(), tokens.concat());
    stage.close().await;
}

/// A character may not be cut, a frame may not be over 32 KB, and nothing may be missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_very_large_delta_is_split_and_arrives_whole() {
    let stage = Stage::open().await;
    let large = "日本語 \"quoted\" 🦀\n".repeat(8_000);
    stage.cloud.bedrock.script(paced(&["small ", &large, " small"], Duration::from_millis(5)));
    for architecture in Architecture::ALL {
        let request = Request::prompt("much");
        let trace = stage.send(architecture, &request).await;
        check_contract(architecture.name(), &request, &trace);
        assert!(trace.text() == format!("small {large} small"), "{architecture}: the text differs");
        if architecture == Architecture::WebsocketApi {
            let largest = trace.received.iter().map(|received| received.bytes).max();
            assert!(largest.is_some_and(|bytes| bytes <= 32 * 1024), "{largest:?} bytes in a frame");
        }
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_model_is_bridged_by_pings_and_given_up_in_time() {
    let environment = vec![("FIRST_TOKEN_TIMEOUT_SECONDS".to_owned(), "12".to_owned())];
    let stage = Stage::with(|options| options.environment = environment).await;
    let ending = Ending::Stall { after: 0 };
    stage.cloud.bedrock.script(Script { ending, ..paced(&["never"], Duration::from_millis(1)) });
    let ask = |architecture| {
        let stage = &stage;
        async move { (architecture, stage.ask(architecture, "hello?").await) }
    };
    for (architecture, trace) in futures_util::future::join_all(Architecture::ALL.map(ask)).await {
        let event = &trace.terminal().expect("an end").event;
        assert_eq!(event["code"], "model_timeout", "{architecture}: {event}");
        let pings = trace.received.iter().filter(|received| received.event["type"] == "ping").count();
        assert_eq!(pings, 1, "{architecture}: pings in 12 s");
    }
    eventually("the model's connections to close", async || {
        stage.cloud.bedrock.calls().iter().all(|call| call.closed.is_some()).then_some(())
    })
    .await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_reaches_the_dead_letter_queue_without_a_call_of_the_model() {
    let stage = Stage::with(|options| options.batch_size = 10).await;
    for poison in ["not json", r#"{"owner":"","stream_id":"x","messages":[],"max_tokens":1}"#] {
        stage.cloud.queues.send("tristream-prompts", poison.to_owned());
    }
    // Beside it, somebody is answered.
    let trace = stage.send(Architecture::Appsync, &Request::prompt("and me?").with("max_tokens", 3)).await;
    assert_eq!(trace.failure, None);
    let dead = eventually("the poison to be put away", async || {
        let dead = stage.cloud.queues.messages("tristream-prompts-dead-letter");
        (dead.len() == 2).then_some(dead)
    })
    .await;
    assert!(dead.contains(&"not json".to_owned()), "{dead:?}");
    assert!(stage.cloud.queues.messages("tristream-prompts").is_empty());
    stage.assert_one_call();
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_cannot_be_queued_is_said_to_be_so_and_can_be_sent_again() {
    let stage = Stage::open().await;
    // More than the function's own tries.
    let sends = vec![At::times(0, 3, CallFault::Refuse(500))];
    stage.cloud.faults.plan("", Plan { sends, ..Plan::default() });
    let request = Request::prompt("queue me").with("max_tokens", 3);
    let trace = stage.send(Architecture::Appsync, &request).await;
    let event = &trace.terminal().expect("an end").event;
    assert_eq!((&event["code"], &event["retryable"]), (&json!("internal"), &json!(true)), "{event}");
    let trace = stage.send(Architecture::Appsync, &request).await;
    check_contract("appsync", &request, &trace);
    stage.assert_one_call();
    stage.close().await;
}

/// The worker dies in the middle. What it began is not begun again, and the client is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_function_was_killed_is_not_generated_twice() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["word "; 100], Duration::from_millis(50)));
    let mut connection = Connection::open(&stage.settings, &stage.token).await.expect("a connection");
    connection.send_text(r#"{"action":"stream","prompt":"careful"}"#).await.expect("sent");
    while connection.next_event(PATIENCE).await.expect("an event").expect("open").text().is_empty() {}
    let pids = stage.cloud.lambda.environments("websocket-api-stream");
    assert_eq!(pids.len(), 1);
    let killed = std::process::Command::new("kill").args(["-9", &pids[0].to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let call = eventually("the model's connection to close", async || {
        stage.cloud.bedrock.calls().first().filter(|call| call.closed.is_some()).cloned()
    })
    .await;
    assert!(!call.completed);
    // An asynchronous invocation is not repeated, and the connection is good for the next prompt.
    stage.cloud.bedrock.script(paced(&["fine"], Duration::from_millis(5)));
    connection.send_text(r#"{"action":"stream","prompt":"again"}"#).await.expect("sent");
    loop {
        let received = connection.next_event(PATIENCE).await.expect("an event").expect("open");
        if received.event["type"] == "done" {
            break;
        }
    }
    assert_eq!(stage.cloud.bedrock.calls().len(), 2);
    connection.close().await;
    stage.close().await;
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
