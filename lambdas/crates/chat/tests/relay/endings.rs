use chat::{Ending, ErrorCode, ModelErrorKind, ModelEvent, StopReason, StreamEvent};

use crate::doubles::*;

fn done(played: &Played) -> StopReason {
    match (&played.outcome.ending, played.last()) {
        (Ending::Done(reason), StreamEvent::Done { stop_reason, .. }) => {
            assert_eq!(reason, stop_reason, "the log and the client are told the same");
            *reason
        }
        other => panic!("not done: {other:?}"),
    }
}

fn failed(played: &Played) -> ErrorCode {
    match (&played.outcome.ending, played.last()) {
        (Ending::Failed(code, _), StreamEvent::Error { error, .. }) => {
            assert_eq!(*code, error.code, "the log and the client are told the same");
            assert_eq!(error.message, code.sentence(), "and nothing of the cause");
            *code
        }
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn done_says_why_and_what_it_cost() {
    for reason in [
        StopReason::EndTurn,
        StopReason::MaxTokens,
        StopReason::StopSequence,
        StopReason::ContentFiltered,
        StopReason::GuardrailIntervened,
        StopReason::Cancelled,
    ] {
        let played = play([text("a"), Step::Say(ModelEvent::Stop(reason)), usage()]).await;
        assert_eq!(done(&played), reason);
        assert_eq!(played.outcome.usage, Some(USAGE));
        let StreamEvent::Done { usage, timing, .. } = played.last() else { unreachable!("it is done") };
        assert_eq!((*usage, *timing), (Some(USAGE), played.outcome.timing));
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_bill_is_no_failure() {
    for (name, after_stop) in [
        ("the connection ends", vec![]),
        ("the connection breaks", vec![Step::Fail(ModelErrorKind::Unavailable)]),
        ("nothing more comes", vec![Step::Hang]),
        ("a second stop", vec![stop()]),
        ("late activity, then the end", vec![Step::Say(ModelEvent::Activity)]),
    ] {
        let played = play([text("a"), stop()].into_iter().chain(after_stop)).await;
        assert_eq!(done(&played), StopReason::EndTurn, "{name}");
        assert_eq!(played.outcome.usage, None, "{name}");
        assert_eq!(played.text(), "a", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_bill_is_no_end() {
    let played = play([usage(), text("a"), usage(), text("b"), stop(), usage()]).await;
    assert_eq!((done(&played), played.text().as_str()), (StopReason::EndTurn, "ab"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_text_is_an_answer() {
    let played = play([Step::Wait(ms(5)), stop(), usage()]).await;
    assert_eq!(done(&played), StopReason::EndTurn);
    assert_eq!(played.outcome.timing.first_token_ms, None);
    assert_eq!(played.events().count(), 2, "start and done");
}

#[tokio::test(start_paused = true)]
async fn what_the_model_said_before_it_failed_arrives_before_the_error() {
    for (kind, code) in [
        (ModelErrorKind::Throttled, ErrorCode::ModelThrottled),
        (ModelErrorKind::Unavailable, ErrorCode::ModelUnavailable),
        (ModelErrorKind::Rejected, ErrorCode::ModelError),
        (ModelErrorKind::Garbled, ErrorCode::ModelError),
        (ModelErrorKind::TimedOut, ErrorCode::ModelTimeout),
    ] {
        for take in [ms(0), ms(700)] {
            let script = [text("a"), Step::Wait(ms(1)), text("b"), Step::Fail(kind), text("never")];
            let played = play_with(script, |_| Take::After(take), |_| {}).await;
            assert_eq!((failed(&played), played.text().as_str()), (code, "ab"), "{kind:?}");
            assert_eq!(played.dropped_at, ms(1), "the connection is closed before the error is told");
        }
        let Ending::Failed(_, cause) = play([Step::Fail(kind)]).await.outcome.ending else {
            panic!("{kind:?} did not fail")
        };
        assert_eq!(cause.expect("the log gets the cause").kind, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_just_stops_is_truncated_and_never_done() {
    for (name, script) in [
        ("at once", vec![]),
        ("after activity", vec![Step::Say(ModelEvent::Activity)]),
        ("after text", vec![text("a"), text("b")]),
        ("after a bill", vec![text("a"), usage()]),
    ] {
        assert_eq!(failed(&play(script).await), ErrorCode::Truncated, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_does_not_begin_times_out() {
    let played = play([Step::Hang]).await;
    assert_eq!(failed(&played), ErrorCode::ModelTimeout);
    assert_eq!((played.dropped_at, played.ended_at), (seconds(75), seconds(75)));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_stalls_times_out_counted_from_its_last_sign_of_life() {
    let played =
        play([Step::Wait(seconds(70)), text("a"), Step::Wait(seconds(29)), text("b"), Step::Hang]).await;
    assert_eq!((failed(&played), played.text().as_str()), (ErrorCode::ModelTimeout, "ab"));
    assert_eq!(played.ended_at, seconds(70 + 29 + 30));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_taken_for_a_stalled_model() {
    // The model's next word waits 50 s for the sink; the model itself is never late.
    let words = (0..40).map(|_| text("x".repeat(8 * 1024)));
    let played = play_with(
        paced(ms(1), words),
        |call| Take::After(if call == 0 { seconds(50) } else { ms(0) }),
        |_| {},
    )
    .await;
    assert_eq!(done(&played), StopReason::EndTurn);
    assert_eq!(played.text().len(), 40 * 8 * 1024);
}

#[tokio::test(start_paused = true)]
async fn activity_keeps_the_model_alive_without_text() {
    let thinking = (0..20).flat_map(|_| [Step::Wait(seconds(25)), Step::Say(ModelEvent::Activity)]);
    let played = play(thinking.chain([text("a"), stop(), usage()])).await;
    assert_eq!((done(&played), played.text().as_str()), (StopReason::EndTurn, "a"));
    assert_eq!(played.outcome.timing.first_token_ms, Some(500_000), "thinking is no token");
}

#[tokio::test(start_paused = true)]
async fn the_functions_time_ends_every_answer_and_with_what_there_is() {
    let limit = |limits: &mut chat::Limits| {
        limits.end_by = limits.received_at + seconds(57);
        limits.flush_interval = seconds(20);
    };
    let endless = || (0..1000).flat_map(|_| [text("a"), Step::Wait(seconds(1))]);
    let played = play_with(endless(), AT_ONCE, limit).await;
    assert_eq!(failed(&played), ErrorCode::DeadlineExceeded);
    assert_eq!((played.ended_at, played.dropped_at), (seconds(57), seconds(57)));
    assert!(played.text().len() >= 57, "held-back text leaves with the error");

    for (name, script) in [
        ("silent from the start", vec![Step::Hang]),
        ("silent after text", vec![Step::Wait(seconds(40)), text("a"), Step::Hang]),
    ] {
        let played = play_with(script, AT_ONCE, limit).await;
        assert_eq!(failed(&played), ErrorCode::DeadlineExceeded, "{name}");
        assert_eq!(played.ended_at, seconds(57), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_time_at_all_still_ends_in_an_error() {
    let played = play_with([Step::Hang], AT_ONCE, |limits| limits.end_by = limits.received_at).await;
    assert_eq!(failed(&played), ErrorCode::DeadlineExceeded);
}
