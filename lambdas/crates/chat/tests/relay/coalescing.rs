use std::time::Duration;

use crate::doubles::*;

/// `n` tokens of one letter each, from `a` on.
fn letters(n: usize) -> impl Iterator<Item = Step> {
    ('a'..='z').cycle().take(n).map(text)
}

#[tokio::test(start_paused = true)]
async fn the_first_token_leaves_at_once() {
    let played = play([Step::Wait(ms(412)), text("Hel"), Step::Wait(ms(600)), text("lo"), stop()]).await;
    assert_eq!(played.calls[0].at, Duration::ZERO, "start does not wait for a token");
    assert_eq!(played.deltas(), [(ms(412), "Hel"), (ms(1012), "lo")]);
    assert_eq!(played.outcome.timing.first_token_ms, Some(412));
    assert_eq!(played.outcome.timing.total_ms, 1012);
}

#[tokio::test(start_paused = true)]
async fn with_a_fast_sink_each_token_is_a_delta_of_its_own() {
    let played = play(paced(ms(10), letters(26))).await;
    let expected: Vec<_> =
        ('a'..='z').map(String::from).zip(1..).map(|(letter, n)| (ms(10 * n), letter)).collect();
    let got: Vec<_> = played.deltas().into_iter().map(|(at, text)| (at, text.to_owned())).collect();
    assert_eq!(got, expected);
}

#[tokio::test(start_paused = true)]
async fn what_arrives_during_a_send_leaves_as_one_delta() {
    let played = play_with(paced(ms(10), letters(26)), |_| Take::After(ms(103)), |_| {}).await;
    assert_eq!(
        played.deltas(),
        [(ms(103), "abcdefghij"), (ms(206), "klmnopqrst"), (ms(309), "uvwxyz")],
        "10 tokens arrive in each of the sends"
    );
    assert_eq!(played.outcome.sends, 4, "start and three deltas, the end with the last");
}

#[tokio::test(start_paused = true)]
async fn one_send_is_in_flight_at_a_time() {
    let played = play_with(paced(ms(7), letters(100)), |_| Take::After(ms(50)), |_| {}).await;
    for pair in played.calls.windows(2) {
        assert!(pair[1].at >= pair[0].at + ms(50), "{pair:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_leaves_with_the_last_text_when_both_wait() {
    let played = play_with(paced(ms(10), letters(5)), |_| Take::After(ms(500)), |_| {}).await;
    assert_eq!(played.calls.len(), 2);
    assert_eq!(played.calls[1].events.len(), 2, "a delta and done");
}

#[tokio::test(start_paused = true)]
async fn the_flush_interval_holds_later_deltas_but_not_the_first() {
    let flush = |limits: &mut chat::Limits| limits.flush_interval = ms(93);
    let played = play_with(paced(ms(10), letters(26)), AT_ONCE, flush).await;
    assert_eq!(
        played.deltas(),
        [(ms(10), "a"), (ms(110), "bcdefghijk"), (ms(210), "lmnopqrstu"), (ms(260), "vwxyz")],
        "they leave with the first token after it, and the end pulls the last ones out"
    );
}

#[tokio::test(start_paused = true)]
async fn text_that_was_held_does_not_wait_long_for_a_token_to_leave_with() {
    let check = async |interval, pause, expected: [(Duration, &str); 3]| {
        let flush = |limits: &mut chat::Limits| limits.flush_interval = ms(interval);
        let script = [text("a"), Step::Wait(ms(10)), text("b"), Step::Wait(ms(pause)), text("c")];
        let script = script.into_iter().chain([Step::Wait(seconds(1)), stop()]);
        let played = play_with(script, AT_ONCE, flush).await;
        let mut deltas = played.deltas();
        deltas.resize(3, (played.ended_at, ""));
        assert_eq!(deltas, expected, "an interval of {interval} ms, a pause of {pause} ms");
    };
    let end = |at| (ms(at), "");
    check(40, 60, [(ms(0), "a"), (ms(70), "bc"), end(1070)]).await;
    check(40, 100, [(ms(0), "a"), (ms(80), "b"), (ms(160), "c")]).await;
    check(40, 500, [(ms(0), "a"), (ms(80), "b"), (ms(510), "c")]).await;
    check(200, 230, [(ms(0), "a"), (ms(240), "bc"), end(1240)]).await;
    check(200, 500, [(ms(0), "a"), (ms(250), "b"), (ms(510), "c")]).await;
}

#[tokio::test(start_paused = true)]
async fn the_flush_interval_does_not_hold_the_end() {
    let flush = |limits: &mut chat::Limits| limits.flush_interval = seconds(60);
    for (name, end) in [("done", vec![stop(), usage()]), ("truncated", vec![])] {
        let script = [text("a"), Step::Wait(ms(10)), text("b"), Step::Wait(ms(10))].into_iter().chain(end);
        let played = play_with(script, AT_ONCE, flush).await;
        assert_eq!(played.ended_at, ms(20), "{name}");
        assert_eq!(played.text(), "ab", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_flush_interval_does_not_hold_more_than_the_outbox_may_keep() {
    let flush = |limits: &mut chat::Limits| limits.flush_interval = seconds(60);
    let script = paced(ms(10), (0..100).map(|_| text("x".repeat(1024))));
    let played = play_with(script, AT_ONCE, flush).await;
    let second = played.deltas()[1];
    assert_eq!(second.0, ms(10 * 65), "64 KiB have gathered behind the first KiB");
    assert_eq!(second.1.len(), 64 * 1024);
}

#[tokio::test(start_paused = true)]
async fn empty_text_is_nothing() {
    let played = play([text(""), Step::Wait(ms(10)), text(""), text("a"), text(""), stop(), usage()]).await;
    assert_eq!(played.text(), "a");
    assert_eq!(played.outcome.timing.first_token_ms, Some(10), "an empty one is no first token");
}
