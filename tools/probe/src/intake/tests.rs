//! The rules, by the numbers that arrive.

use serde_json::{Value, json};

use super::*;

fn event(seq: i64) -> Value {
    match seq {
        0 => json!({"type": "start", "seq": 0}),
        9 => json!({"type": "done", "seq": 9}),
        99 => json!({"type": "ping"}),
        -1 => json!({"type": "error", "code": "unauthorized"}),
        -2 => json!({"type": "delta", "text": "x"}),
        -3 => json!({"type": "novelty", "seq": 1}),
        _ => json!({"type": "delta", "seq": seq, "text": seq.to_string()}),
    }
}

/// Feeds events by their numbers; returns the text told in order, the trace's text, and the complaint.
fn check(architecture: Architecture, seqs: &[i64]) -> (String, String, String) {
    let mut told = String::new();
    let mut intake = Intake::new(architecture, None, Duration::from_secs(9), |received: &Received| {
        told.push_str(received.text());
    });
    let mut result = Ok(());
    for &seq in seqs {
        result = intake.take(Received { at: Instant::now(), event: event(seq), bytes: 1 });
        if result.is_err() {
            break;
        }
    }
    let result = if result.is_ok() && !intake.ended() { Err(intake.closed()) } else { result };
    let trace = intake.finish(result);
    let text = trace.text();
    (told, text, trace.failure.unwrap_or_default())
}

#[test]
fn order_gaps_and_repeats() {
    use Architecture::{Appsync, WebsocketApi};
    let broke = |what: &str| format!("the server broke the stream contract: {what}");
    let ended = "the stream ended without a terminal event".to_owned();
    let many: Vec<i64> = (0..2).chain(10..27).collect();
    for (architecture, seqs, text, failure) in [
        (WebsocketApi, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..], "12345678", String::new()),
        (WebsocketApi, &[0, 1, 99, 1, 0, 2], "12", ended.clone()),
        (WebsocketApi, &[0, 1, 2, 3, 6], "123", "gap: expected 4, got 6".into()),
        (WebsocketApi, &[1, 0], "", "gap: expected 0, got 1".into()),
        (Appsync, &[1, 0, 3, 2, 5, 9, 8, 6, 7, 4], "12345678", String::new()),
        (Appsync, &[0, 1, 3, 3, 3], "1", "gap: expected 2, got 3".into()),
        (Appsync, &many, "1", "gap: expected 2, got 10".into()),
        (Appsync, &many[..many.len() - 1], "1", "gap: expected 2, got 10".into()),
        (Appsync, &[-1], "", String::new()),
        (WebsocketApi, &[0, 1, -1], "1", String::new()),
        (WebsocketApi, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 8], "12345678", String::new()),
        (
            WebsocketApi,
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
            "12345678",
            broke("an event after the terminal one"),
        ),
        (Appsync, &[0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9], "12345678", broke("an event after the terminal one")),
        (WebsocketApi, &[-1, -1], "", broke("an event after the terminal one")),
        (WebsocketApi, &[0, -2], "", broke("an event without seq")),
        (WebsocketApi, &[0, -3], "", broke("an event of unknown type")),
        (WebsocketApi, &[], "", ended),
    ] {
        let (told, joined, complaint) = check(architecture, seqs);
        assert_eq!(
            (joined.as_str(), complaint.as_str()),
            (text, failure.as_str()),
            "{architecture} {seqs:?}"
        );
        assert!(joined.starts_with(&told), "told {told:?} of {joined:?}");
        assert!(!failure.is_empty() || told == joined, "told {told:?} of {joined:?}");
    }
}

#[test]
fn a_missing_number_has_two_seconds_and_a_ping_buys_no_time() {
    let timeout = Duration::from_mins(1);
    let mut intake = Intake::new(Architecture::Appsync, None, timeout, |_: &Received| {});
    let mut take = |seq| {
        intake.take(Received { at: Instant::now(), event: event(seq), bytes: 1 }).expect("allowed");
        intake.deadline().into_std()
    };
    let quiet = take(0);
    assert_eq!(take(99), quiet);
    assert!(take(2) < Instant::now() + REORDER_TIME);
    assert!(take(1) > quiet);
    assert!(matches!(intake.expired(), ProbeError::Timeout(..)));
}
