use chat::ModelEvent;

use crate::doubles::*;

#[tokio::test(start_paused = true)]
async fn a_silent_stream_pings_every_ten_seconds() {
    let played = play([Step::Wait(seconds(35)), text("a"), Step::Wait(seconds(25)), text("b"), stop()]).await;
    assert_eq!(played.pings_at(), [10, 20, 30, 45, 55].map(seconds), "counted from the last thing sent");
    assert_eq!(played.text(), "ab");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_talks_does_not_ping() {
    let played = play(paced(seconds(9), (0..20).map(|_| text("a")))).await;
    assert_eq!(played.pings_at(), []);
}

#[tokio::test(start_paused = true)]
async fn thinking_pings_as_silence_does() {
    let thinking = paced(seconds(3), (0..11).map(|_| Step::Say(ModelEvent::Activity)));
    assert_eq!(play(thinking).await.pings_at(), [10, 20, 30].map(seconds));
}

#[tokio::test(start_paused = true)]
async fn text_that_is_held_back_is_no_silence_to_fill() {
    let flush = |limits: &mut chat::Limits| limits.flush_interval = seconds(4);
    let played = play_with(paced(seconds(1), (0..30).map(|_| text("a"))), AT_ONCE, flush).await;
    assert_eq!(played.pings_at(), []);
}

#[tokio::test(start_paused = true)]
async fn a_ping_never_shares_a_call_with_news() {
    // The start takes 12 s to send; when it is through a ping is due, and a token is there.
    let take = |call| Take::After(if call == 0 { seconds(12) } else { ms(0) });
    let played = play_with([Step::Wait(seconds(11)), text("a"), stop()], take, |_| {}).await;
    assert_eq!(played.pings_at(), []);
    assert_eq!(played.text(), "a");
}
