use chat::{Ending, ErrorCode, SinkError};

use crate::doubles::*;

const KIB: usize = 1024;

/// Text that waits for the sink, the events between reader and writer, the one in the reader's hand, and the one
/// that tips the outbox over.
const READ_AHEAD_AT_MOST: usize = 64 * KIB + (32 + 2) * KIB;

/// The call of the given number ends in `take`; the others are taken at once.
fn on_call(number: usize, take: Take) -> impl FnMut(usize) -> Take + Send {
    move |call| if call == number { take } else { Take::After(ms(0)) }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_stops_the_model_at_once() {
    let script = || [Step::Wait(ms(10)), text("a"), Step::Wait(ms(10)), text("b"), Step::Hang];
    for (number, gone_at) in [(0, ms(0)), (1, ms(10)), (2, ms(20))] {
        let played = play_with(script(), on_call(number, Take::Gone), |_| {}).await;
        assert!(matches!(played.outcome.ending, Ending::Undelivered(SinkError::Gone)), "call {number}");
        assert_eq!((played.dropped_at, played.ended_at), (gone_at, gone_at), "call {number}");
        assert_eq!(played.calls.len(), number + 1, "nothing is sent after call {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_while_the_model_thinks_is_noticed_by_the_next_ping() {
    let played = play_with([Step::Hang], on_call(1, Take::Gone), |_| {}).await;
    assert!(matches!(played.outcome.ending, Ending::Undelivered(SinkError::Gone)));
    assert_eq!(played.dropped_at, seconds(10));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_with_much_unread_is_sent_none_of_it() {
    let flood = (0..1000).map(|_| text("x".repeat(KIB)));
    let played = play_with(flood, on_call(1, Take::Gone), |_| {}).await;
    assert_eq!(played.calls.len(), 2);
    assert!(matches!(played.outcome.ending, Ending::Undelivered(SinkError::Gone)));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_failed_for_good_stops_the_model_and_is_not_asked_again() {
    let script = [Step::Wait(ms(10)), text("a"), Step::Wait(ms(10)), text("b"), Step::Hang];
    let played = play_with(script, on_call(1, Take::Fail), |_| {}).await;
    assert!(matches!(played.outcome.ending, Ending::Undelivered(SinkError::Failed(_))));
    assert_eq!((played.calls.len(), played.dropped_at), (2, ms(10)));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_cannot_be_delivered_is_not_called_done() {
    for take in [Take::Gone, Take::Fail] {
        let played =
            play_with([Step::Wait(ms(1)), text("a"), Step::Wait(ms(1)), stop()], on_call(2, take), |_| {})
                .await;
        assert!(matches!(played.outcome.ending, Ending::Undelivered(_)), "{take:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_sink_bounds_what_is_read_ahead_and_loses_nothing() {
    let words: Vec<_> = (0..1000).map(|n| format!("{n:0KIB$}")).collect();
    let script = words.iter().map(text).chain([stop(), usage()]);
    let played = play_with(script, |_| Take::After(seconds(1)), |_| {}).await;
    let mut handed_over = 0;
    for call in &played.calls {
        handed_over += text_bytes(call);
        let ahead = call.said_bytes - handed_over;
        assert!(ahead <= READ_AHEAD_AT_MOST, "{ahead} bytes at {:?}", call.at);
    }
    let most = played.calls.iter().map(text_bytes).max();
    assert!(most <= Some(65 * KIB), "{most:?} bytes in one call");
    assert_eq!(played.text(), words.concat());
}

fn text_bytes(call: &Call) -> usize {
    let texts = call.events.iter().map(|event| match event {
        chat::StreamEvent::Delta { text, .. } => text.len(),
        _ => 0,
    });
    texts.sum()
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_when_the_time_is_up_is_given_one_more_second() {
    for (name, number, script) in [
        ("from the start", 0, vec![Step::Hang]),
        ("on a token", 1, vec![Step::Wait(ms(10)), text("a"), Step::Hang]),
        ("with more text waiting", 1, vec![Step::Wait(ms(10)), text("a"), text("b"), text("c"), Step::Hang]),
        ("with the outbox full", 0, (0..200).map(|_| text("x".repeat(KIB))).collect()),
        ("with the model done", 1, vec![Step::Wait(ms(10)), text("a"), Step::Wait(ms(10)), stop(), usage()]),
        ("on the end", 2, vec![Step::Wait(ms(10)), text("a"), Step::Wait(ms(10)), stop(), usage()]),
    ] {
        let end_by = |limits: &mut chat::Limits| limits.end_by = limits.received_at + seconds(20);
        let played = play_with(script, on_call(number, Take::Hang), end_by).await;
        assert!(matches!(played.outcome.ending, Ending::Undelivered(SinkError::Failed(_))), "{name}");
        assert_eq!(played.ended_at, seconds(21), "{name}");
        assert_eq!(played.calls.len(), number + 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_that_outlasts_the_time_a_little_is_followed_by_the_end() {
    let end_by = |limits: &mut chat::Limits| limits.end_by = limits.received_at + seconds(20);
    let take = |call| Take::After(if call == 0 { ms(20_900) } else { ms(900) });
    let played = play_with([Step::Wait(ms(10)), text("a"), Step::Hang], take, end_by).await;
    assert!(matches!(played.outcome.ending, Ending::Failed(ErrorCode::DeadlineExceeded, _)));
    assert_eq!(played.text(), "a");
    assert!(played.ended_at <= seconds(22), "with a second to spare before the kill");
}
