//! What the functions write: one line per request, from which `CloudWatch` would make the metrics.

mod support;

use std::{collections::BTreeMap, time::Duration};

use local_cloud::{
    bedrock::{Ending, Script},
    faults::{At, CallFault, Plan},
};
use probe::{Architecture, Request, function_url};
use serde_json::{Value, json};
use support::{Stage, check_contract, eventually, paced};

const TOKENS: [&str; 9] =
    ["canary", " one", " canary", " two", " canary", " three", " canary", " four", " canary"];

/// Also at the quietest `LOG_LEVEL`: what is not written is not counted.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_line_with_the_number_of_messages_that_arrived() {
    let stage = Stage::with(|options| {
        options.environment = vec![("LOG_LEVEL".to_owned(), "error".to_owned())];
    })
    .await;
    stage.cloud.bedrock.script(paced(&TOKENS, Duration::from_millis(20)));
    let mut arrived = Vec::new();
    for accept in ["text/event-stream", "application/x-ndjson", "text/plain"] {
        let request = Request::prompt("canary");
        arrived.push(("function-url", request.stream_id.clone(), chunks(&stage, &request, accept).await));
    }
    for (architecture, function) in
        [(Architecture::WebsocketApi, "websocket-api-stream"), (Architecture::Appsync, "appsync-worker")]
    {
        for _ in 0..3 {
            let request = Request::prompt("canary");
            let trace = stage.send(architecture, &request).await;
            check_contract(function, &request, &trace);
            arrived.push((function, request.stream_id, trace.received.len()));
        }
    }
    for (function, stream_id, messages) in &arrived {
        let line = written(&stage, function, |line| line["stream_id"] == json!(stream_id)).await;
        assert_eq!(
            [&line["level"], &line["message"], &line["outcome"], &line["reason"]],
            ["INFO", "answered", "done", "end_turn"]
        );
        let metrics = metrics(function, &line);
        let names: Vec<_> = metrics.keys().map(String::as_str).collect();
        assert_eq!(names, ["Failures", "FirstTokenMs", "MessagesSent", "OutputTokens", "TotalMs"]);
        assert_eq!(metrics["MessagesSent"], *messages as u64, "{line}");
        assert_eq!(metrics["OutputTokens"], TOKENS.len() as u64);
        assert_eq!(metrics["Failures"], 0);
        // The model took its time, and its first token came before its last.
        assert!(metrics["FirstTokenMs"] < metrics["TotalMs"], "{line}");
        assert!(metrics["TotalMs"] >= 160, "{line}");
    }
    // By now a second line of an earlier answer would be here as well.
    let lines: Vec<_> = stage.cloud.lambda.logs().into_iter().map(|(_, line)| line).collect();
    for (function, stream_id, _) in &arrived {
        let about = lines.iter().filter(|line| line.contains(stream_id.as_str()));
        assert_eq!(about.count(), 1, "{function}: {lines:#?}");
    }
    assert_eq!(lines.len(), arrived.len(), "{lines:#?}");
    for secret in ["canary", &stage.token] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{lines:#?}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_broke_off_is_counted_as_a_failure() {
    let stage = Stage::open().await;
    let ending = Ending::Exception { after: 3, kind: "modelStreamErrorException".to_owned() };
    stage.cloud.bedrock.script(Script { ending, ..paced(&TOKENS, Duration::from_millis(5)) });
    for architecture in Architecture::ALL {
        let request = Request::prompt("fail");
        let trace = stage.send(architecture, &request).await;
        check_contract(architecture.name(), &request, &trace);
        let function = answering(architecture);
        let line = written(&stage, function, |line| line["stream_id"] == json!(request.stream_id)).await;
        let metrics = metrics(function, &line);
        assert_eq!([&line["outcome"], &line["reason"]], ["error", "model_unavailable"]);
        assert!(line["error"].as_str().is_some_and(|error| error.contains("model")), "{line}");
        assert_eq!((metrics["Failures"], metrics.get("OutputTokens")), (1, None), "{line}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_stream_because_of_us_is_counted_as_a_failure() {
    let stage = Stage::open().await;
    stage.cloud.user_pool.set_jwks_down(true);
    for (architecture, function) in [
        (Architecture::FunctionUrl, "function-url"),
        (Architecture::WebsocketApi, "websocket-api-authorizer"),
    ] {
        stage.send(architecture, &Request::prompt("anyone there?")).await;
        let line = written(&stage, function, is_refusal).await;
        assert_failure(function, &line, "internal");
        assert!(line["error"].as_str().is_some_and(|error| error.contains("keys")), "{line}");
        assert_eq!(line.get("stream_id"), None, "nothing but the token was read");
    }
    stage.close().await;

    let stage = Stage::open().await;
    let ending = Ending::Refused { status: 429, kind: "ThrottlingException".to_owned(), times: 9 };
    stage.cloud.bedrock.script(Script { ending, ..paced(&["ok"], Duration::from_millis(5)) });
    for architecture in Architecture::ALL {
        let request = Request::prompt("busy?");
        stage.send(architecture, &request).await;
        let function = answering(architecture);
        let line = written(&stage, function, is_refusal).await;
        assert_failure(function, &line, "model_throttled");
        assert_eq!(line["stream_id"], json!(request.stream_id));
    }
    // More than the function's own tries.
    let sends = vec![At::times(0, 3, CallFault::Refuse(500))];
    stage.cloud.faults.plan("", Plan { sends, ..Plan::default() });
    let request = Request::prompt("queue me");
    stage.send(Architecture::Appsync, &request).await;
    let line = written(&stage, "appsync-request", is_refusal).await;
    assert_failure("appsync-request", &line, "internal");
    assert_eq!(line["stream_id"], json!(request.stream_id));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_caller_has_to_mend_is_a_line_and_no_metric() {
    let stage = Stage::open().await;
    let refused = async |function: &str, reason: &str| {
        let line = written(&stage, function, is_refusal).await;
        let names: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        let fields =
            ["timestamp", "level", "message", "request_id", "stream_id", "outcome", "reason", "error"];
        let unknown = if line.get("stream_id").is_none() { "stream_id" } else { "" };
        assert_eq!(names, fields.into_iter().filter(|name| *name != unknown).collect::<Vec<_>>());
        assert_eq!([&line["level"], &line["reason"]], ["WARN", reason], "{line}");
        line
    };
    for (architecture, function) in [
        (Architecture::FunctionUrl, "function-url"),
        (Architecture::WebsocketApi, "websocket-api-stream"),
        (Architecture::Appsync, "appsync-request"),
    ] {
        let request = Request::prompt(" ");
        stage.send(architecture, &request).await;
        assert_eq!(refused(function, "invalid_request").await["stream_id"], json!(request.stream_id));
    }
    let prompt = Request::prompt("let me in");
    probe::stream(&stage.settings, Architecture::WebsocketApi, "forged", &prompt, |_| {}).await;
    refused("websocket-api-authorizer", "unauthorized").await;
    let mut connection =
        probe::websocket_api::Connection::open(&stage.settings, &stage.token).await.expect("a connection");
    connection.send_text(r#"{"action":"dance"}"#).await.expect("sent");
    refused("websocket-api-session", "invalid_request").await;
    connection.close().await;

    // A mutation that is accepted leaves a line as well; its metrics are the worker's.
    let request = Request::prompt("and me?").with("max_tokens", 3);
    stage.send(Architecture::Appsync, &request).await;
    let line = written(&stage, "appsync-request", |line| line["message"] == "resolved").await;
    assert_eq!((line["stream_id"].clone(), line.get("_aws")), (json!(request.stream_id), None));
    stage.close().await;
}

/// Posts and counts the chunks of the body. The chunked coding keeps them apart
/// (RFC 9112, section 7.1), however many a read of the socket brings.
async fn chunks(stage: &Stage, request: &Request, accept: &str) -> usize {
    let bearer = format!("Bearer {}", stage.token);
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("accept", accept)];
    let answer = function_url::send(&stage.settings, &headers, request.body.to_string()).await;
    let mut answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut chunks = 0;
    while answer.chunk().await.expect("a whole body").is_some() {
        chunks += 1;
    }
    chunks
}

/// The line of a function that somebody looks for, once it is there.
async fn written(stage: &Stage, function: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("a line of {function}"), async || {
        let logs = stage.cloud.lambda.logs().into_iter().filter(|(name, _)| name == function);
        let mut lines = logs.filter_map(|(_, line)| serde_json::from_str(&line).ok());
        lines.find(&is_it)
    })
    .await
}

fn is_refusal(line: &Value) -> bool {
    line["message"] == "refused" && line["outcome"] == "refused"
}

/// The function that calls the model.
fn answering(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::FunctionUrl => "function-url",
        Architecture::WebsocketApi => "websocket-api-stream",
        Architecture::Appsync => "appsync-worker",
    }
}

fn assert_failure(function: &str, line: &Value, reason: &str) {
    assert_eq!([&line["level"], &line["reason"]], ["ERROR", reason], "{line}");
    assert_eq!(metrics(function, line), BTreeMap::from([("Failures".to_owned(), 1)]));
}

/// What `CloudWatch` makes of a line
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
fn metrics(function: &str, line: &Value) -> BTreeMap<String, u64> {
    assert!(line["request_id"].is_string(), "{line}");
    assert!(line["_aws"]["Timestamp"].is_u64(), "{line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
    assert_eq!(directives.len(), 1, "{line}");
    assert_eq!(directives[0]["Namespace"], "tristream");
    assert_eq!(directives[0]["Dimensions"], json!([["FunctionName"]]));
    assert_eq!(line["FunctionName"], function);
    let metrics = directives[0]["Metrics"].as_array().expect("metrics").iter();
    metrics
        .map(|metric| {
            let name = metric["Name"].as_str().expect("a name");
            let unit = if name.ends_with("Ms") { "Milliseconds" } else { "Count" };
            assert_eq!(metric["Unit"], unit, "{name}");
            (name.to_owned(), line[name].as_u64().unwrap_or_else(|| panic!("{name} in {line}")))
        })
        .collect()
}
