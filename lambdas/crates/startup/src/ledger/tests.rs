use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chat::{
    Ending, ErrorCode, ModelError, ModelErrorKind, Outcome, SinkError, StopReason, StreamId, Timing, Usage,
};
use serde_json::{Value, json};
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime as _, SystemTime as TracingTime},
};

use super::{Ledger, is_ours, timestamp};

const STREAM: &str = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";

/// 2026-02-03T04:05:06.000789Z
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_770_091_506_000_789)
}

fn ledger() -> Ledger {
    Ledger::new("prod-function-url".to_owned())
}

fn outcome(ending: Ending) -> Outcome {
    Outcome {
        ending,
        usage: Some(Usage { input_tokens: 12, output_tokens: 345 }),
        timing: Timing { first_token_ms: Some(412), total_ms: 9876 },
        sends: 40,
        events: 42,
        messages: 41,
    }
}

/// The line as JSON, after the checks that hold for every one.
fn read(line: &str) -> Value {
    let (json, rest) = line.split_once('\n').expect("the line ends");
    assert_eq!(rest, "", "it is one line");
    let line: Value = serde_json::from_str(json).unwrap();
    assert_embedded_metrics(&line);
    line
}

/// The rules of the specification, as far as this format gets near them.
fn assert_embedded_metrics(line: &Value) {
    assert!(line["_aws"]["Timestamp"].is_u64(), "milliseconds: {line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
    for directive in directives {
        assert!(
            directive["Namespace"].as_str().is_some_and(|name| (1..=256).contains(&name.len())),
            "{line}"
        );
        for dimensions in directive["Dimensions"].as_array().expect("dimension sets") {
            let dimensions = dimensions.as_array().expect("a dimension set");
            assert!(dimensions.len() <= 30, "{line}");
            for dimension in dimensions {
                let value = line[dimension.as_str().unwrap()].as_str();
                assert!(value.is_some_and(|value| (1..=1024).contains(&value.len())), "{dimension}: {line}");
            }
        }
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!((1..=100).contains(&metrics.len()), "{line}");
        let names: BTreeSet<_> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), metrics.len(), "a metric twice: {line}");
        for metric in metrics {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}: {line}");
            assert!(["Milliseconds", "Count"].map(Value::from).contains(&metric["Unit"]), "{metric}");
        }
    }
}

/// The members that every line with these metrics has; a unit other than `Count` is given.
fn embedded(metrics: &[(&str, u64, &str)]) -> Value {
    let definitions: Vec<_> =
        metrics.iter().map(|(name, _, unit)| json!({"Name": name, "Unit": unit})).collect();
    let mut members = json!({
        "timestamp": "2026-02-03T04:05:06.000789Z",
        "request_id": "request",
        "FunctionName": "prod-function-url",
        "_aws": {
            "Timestamp": 1_770_091_506_000_u64,
            "CloudWatchMetrics": [
                {"Namespace": "tristream", "Dimensions": [["FunctionName"]], "Metrics": definitions}
            ],
        },
    });
    for (name, value, _) in metrics {
        members[name] = (*value).into();
    }
    members
}

/// What is answered is written as this, with `expect` beside the members of every line.
fn check(outcome: &Outcome, expect: Value, metrics: &[(&str, u64, &str)]) {
    let stream_id = StreamId::parse(STREAM).unwrap();
    let line = read(&ledger().answer(now(), "request", &stream_id, outcome));
    let mut golden = embedded(metrics);
    golden["message"] = "answered".into();
    golden["stream_id"] = STREAM.into();
    let Value::Object(expect) = expect else { panic!("members") };
    golden.as_object_mut().unwrap().extend(expect);
    assert_eq!(line, golden);
}

#[test]
fn an_answer_that_was_read_to_its_end() {
    check(
        &outcome(Ending::Done(StopReason::EndTurn)),
        json!({
            "level": "INFO", "outcome": "done", "reason": "end_turn",
            "input_tokens": 12, "sends": 40, "events": 42,
        }),
        &[
            ("FirstTokenMs", 412, "Milliseconds"),
            ("TotalMs", 9876, "Milliseconds"),
            ("OutputTokens", 345, "Count"),
            ("MessagesSent", 41, "Count"),
            ("Failures", 0, "Count"),
        ],
    );
}

#[test]
fn a_model_that_failed_without_a_token_has_no_time_to_it_and_no_bill() {
    let cause = ModelError::new(ModelErrorKind::Unavailable, "no route\nto \"host\"");
    let ending = Ending::Failed(ErrorCode::ModelUnavailable, Some(cause));
    check(
        &Outcome { usage: None, timing: Timing { first_token_ms: None, total_ms: 9876 }, ..outcome(ending) },
        json!({
            "level": "WARN", "outcome": "error", "reason": "model_unavailable",
            "error": "the model is unavailable: no route\nto \"host\"", "sends": 40, "events": 42,
        }),
        &[("TotalMs", 9876, "Milliseconds"), ("MessagesSent", 41, "Count"), ("Failures", 1, "Count")],
    );
}

#[test]
fn a_client_that_left_is_no_failure() {
    check(
        &Outcome { usage: None, ..outcome(Ending::Undelivered(SinkError::Gone)) },
        json!({"level": "INFO", "outcome": "gone", "reason": "client_gone", "sends": 40, "events": 42}),
        &[
            ("FirstTokenMs", 412, "Milliseconds"),
            ("TotalMs", 9876, "Milliseconds"),
            ("MessagesSent", 41, "Count"),
            ("Failures", 0, "Count"),
        ],
    );
}

#[test]
fn an_answer_that_could_not_be_delivered_is_a_failure() {
    let ending = Ending::Undelivered(SinkError::Failed("AppSync answered 403".into()));
    check(
        &Outcome { usage: None, ..outcome(ending) },
        json!({
            "level": "ERROR", "outcome": "undelivered", "reason": "sink_failed",
            "error": "the events could not be delivered: AppSync answered 403", "sends": 40, "events": 42,
        }),
        &[
            ("FirstTokenMs", 412, "Milliseconds"),
            ("TotalMs", 9876, "Milliseconds"),
            ("MessagesSent", 41, "Count"),
            ("Failures", 1, "Count"),
        ],
    );
}

#[test]
fn a_request_that_got_no_stream_because_of_us_is_a_failure_and_nothing_else() {
    let cause = ModelError::new(ModelErrorKind::Throttled, "429");
    let stream_id = StreamId::parse(STREAM).unwrap();
    for stream_id in [Some(&stream_id), None] {
        let line = ledger().failure(now(), "request", stream_id, ErrorCode::ModelThrottled, &cause);
        let mut golden = embedded(&[("Failures", 1, "Count")]);
        let members = golden.as_object_mut().unwrap();
        for (name, value) in [
            ("level", "ERROR"),
            ("message", "refused"),
            ("outcome", "refused"),
            ("reason", "model_throttled"),
            ("error", "the model is throttled: 429"),
        ] {
            members.insert(name.to_owned(), value.into());
        }
        if let Some(stream_id) = stream_id {
            members.insert("stream_id".to_owned(), stream_id.as_str().into());
        }
        assert_eq!(read(&line), golden);
    }
}

/// A status that blames the caller is not counted, one that blames the server is; a model's 429 is ours to bear.
#[test]
fn who_is_to_blame_is_what_the_status_says() {
    for code in ErrorCode::ALL {
        let golden = golden::errors().into_iter().find(|case| case.code == code.as_str()).expect("the code");
        let expect = golden.http_status >= 500 || code == ErrorCode::ModelThrottled;
        assert_eq!(is_ours(code), expect, "{code}");
    }
}

#[test]
fn the_timestamp_is_written_as_by_tracing() {
    let before = timestamp(SystemTime::now());
    let mut tracing = String::new();
    TracingTime.format_time(&mut Writer::new(&mut tracing)).unwrap();
    let after = timestamp(SystemTime::now());
    assert_eq!(before.len(), tracing.len(), "{before} {tracing}");
    assert!(before <= tracing && tracing <= after, "{before} {tracing} {after}");
}
