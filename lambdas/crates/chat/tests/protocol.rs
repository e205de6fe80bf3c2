//! The contract in code against the contract on paper: the golden files of `protocol/`.

use std::collections::BTreeSet;

use auth::Caller;
use chat::{
    CancelRequest, ChatRequest, ErrorCode, InvalidRequest, MAX_BODY_BYTES, MAX_MESSAGES, RequestLimits,
    ResumeRequest, StopReason, StreamId, wire,
};
use golden::{Expect, Recalled};
use serde_json::Value;

#[test]
fn every_event_is_written_as_the_golden_line() {
    for case in golden::events() {
        assert_eq!(wire::to_json(&case.event()), case.line, "{}", case.name);
        assert_eq!(serde_json::from_str::<Value>(&case.line).unwrap(), case.json, "{}", case.name);
    }
}

#[test]
fn the_golden_events_show_every_type_with_and_without_each_optional_field() {
    let mut expected: BTreeSet<&str> = ["start", "delta", "ping", "ping stream_id"].into();
    expected.extend(["done", "done usage", "done first_token_ms", "done usage first_token_ms"]);
    // A number without a stream to count in does not occur.
    expected.extend(["error", "error stream_id", "error stream_id seq"]);
    // Only a request that was refused can be told when to come back.
    expected.extend(["error stream_id retry_after"]);
    let shapes = golden::events().into_iter().map(|case| shape(&case.json)).collect::<BTreeSet<_>>();
    assert_eq!(shapes.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
}

/// The type and those of its fields that may be absent.
fn shape(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap();
    let optional: &[(&str, &str)] = match kind {
        "start" | "delta" => &[],
        "ping" => &[("/stream_id", " stream_id")],
        "done" => &[("/usage", " usage"), ("/timing/first_token_ms", " first_token_ms")],
        "error" => &[("/stream_id", " stream_id"), ("/seq", " seq"), ("/retry_after", " retry_after")],
        other => panic!("the contract has no {other}"),
    };
    let present = optional.iter().filter(|(path, _)| event.pointer(path).is_some());
    present.fold(kind.to_owned(), |shape, (_, name)| shape + name)
}

#[test]
fn the_golden_events_show_every_stop_reason() {
    let shown: BTreeSet<_> = golden::events()
        .into_iter()
        .filter_map(|case| Some(case.json.get("stop_reason")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(shown, StopReason::ALL.map(|reason| reason.as_str().to_owned()).into());
}

#[test]
fn the_golden_errors_are_the_codes_of_the_contract_no_more_and_no_fewer() {
    let ours = ErrorCode::ALL.map(|code| (code.as_str(), code.is_retryable(), code.sentence()));
    let golden = golden::errors();
    // The status is function-url's matter, and compared there.
    let golden: Vec<_> =
        golden.iter().map(|case| (case.code.as_str(), case.retryable, case.message.as_str())).collect();
    assert_eq!(golden, ours);
}

#[test]
fn the_golden_limits_are_ours() {
    let limits = golden::requests().limits;
    assert_eq!((limits.body_bytes, limits.messages), (MAX_BODY_BYTES, MAX_MESSAGES));
}

#[test]
fn valid_requests_are_understood_as_the_golden_file_says() {
    for case in golden::requests().valid {
        let request = parse(&case.request.bytes()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let id = request.stream_id.to_string();
        let understood = Expect {
            messages: case.expect.messages.is_some().then_some(request.messages),
            system: request.system,
            max_tokens: request.max_tokens,
            stream_id: case.expect.stream_id.is_some().then_some(id),
        };
        assert_eq!(understood, case.expect, "{}", case.name);
    }
}

#[test]
fn invalid_requests_are_refused_in_the_words_of_the_golden_file() {
    for case in golden::requests().invalid {
        let error = parse(&case.body.bytes()).expect_err(&case.name).into_error();
        assert_eq!((error.code.as_str(), error.message), (case.code.as_str(), case.message), "{}", case.name);
    }
}

#[test]
fn requests_about_an_answer_are_understood_and_refused_as_the_golden_file_says() {
    let golden = golden::requests();
    for case in golden.resume_valid {
        let ResumeRequest { stream_id, after } = ResumeRequest::parse(&case.request.bytes()).unwrap();
        assert_eq!(Recalled { stream_id: stream_id.to_string(), after }, case.expect, "{}", case.name);
    }
    for case in golden.cancel_valid {
        let CancelRequest { stream_id } = CancelRequest::parse(&case.request.bytes()).unwrap();
        assert_eq!(Recalled { stream_id: stream_id.to_string(), after: None }, case.expect, "{}", case.name);
    }
    let refused = |case: &golden::Invalid, invalid: InvalidRequest| {
        let error = invalid.into_error();
        assert_eq!(
            (error.code.as_str(), &error.message),
            (case.code.as_str(), &case.message),
            "{}",
            case.name
        );
    };
    for case in &golden.resume_invalid {
        refused(case, ResumeRequest::parse(&case.body.bytes()).expect_err(&case.name));
    }
    for case in &golden.cancel_invalid {
        refused(case, CancelRequest::parse(&case.body.bytes()).expect_err(&case.name));
    }
}

#[test]
fn a_number_in_a_url_is_decimal_digits() {
    let check = |after: Option<&str>, expect: Option<Option<u64>>| {
        let id = StreamId::random();
        let request = ResumeRequest::from_text(id.as_str(), after);
        assert_eq!(request.ok().map(|request| request.after), expect, "{after:?}");
    };
    check(None, Some(None));
    check(Some("0"), Some(Some(0)));
    check(Some("12"), Some(Some(12)));
    for wrong in ["", "+1", "-1", "1.0", " 1", "1e3", "0x1", "18446744073709551616", "\u{661}"] {
        check(Some(wrong), None);
    }
}

#[test]
fn the_golden_file_breaks_every_rule() {
    let golden = golden::requests();
    let asked = golden.invalid.iter().map(|case| rule(&parse(&case.body.bytes()).expect_err(&case.name)));
    let resumed = golden.resume_invalid.iter();
    let resumed = resumed.map(|case| rule(&ResumeRequest::parse(&case.body.bytes()).expect_err(&case.name)));
    let broken: BTreeSet<_> = asked.chain(resumed).collect();
    assert_eq!(broken, (0..RULES).collect());
}

const RULES: usize = 12;

/// Without a wildcard: a new rule does not compile before it has a number here, and then a case.
fn rule(invalid: &InvalidRequest) -> usize {
    match invalid {
        InvalidRequest::TooLarge { .. } => 0,
        InvalidRequest::NotAnObject => 1,
        InvalidRequest::NotJson(_) => 2,
        InvalidRequest::WrongField { .. } => 3,
        InvalidRequest::PromptOrMessages => 4,
        InvalidRequest::Blank { .. } => 5,
        InvalidRequest::Nul { .. } => 6,
        InvalidRequest::MessageCount { .. } => 7,
        InvalidRequest::RoleOrder { .. } => 8,
        InvalidRequest::StreamId => 9,
        InvalidRequest::MaxTokens { .. } => 10,
        InvalidRequest::After => 11,
    }
}

fn parse(body: &[u8]) -> Result<ChatRequest, InvalidRequest> {
    let limits = RequestLimits { max_output_tokens: golden::requests().limits.max_output_tokens };
    ChatRequest::parse(Caller::from_queued_owner("ann".to_owned()).unwrap(), body, limits)
}
