use chat::{
    Answer, Cancellation, ChatRequest, Ending, Model, ModelError, ModelEvent, Opened, StopReason,
    StreamEvent, StreamId, Tuning, open,
};
use tokio::time::Instant;

use crate::doubles::*;

fn was_cancelled(played: &Played) -> bool {
    matches!(played.outcome.ending, Ending::Done(StopReason::Cancelled))
        && matches!(played.last(), StreamEvent::Done { stop_reason: StopReason::Cancelled, usage: None, .. })
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_answer_keeps_what_was_said_and_drops_the_model_at_once() {
    let script = paced(ms(100), (0..50).map(|n| text(n.to_string())));
    let played = play_cancelled(ms(450), script, AT_ONCE).await;
    assert!(was_cancelled(&played), "{:?}", played.outcome);
    assert_eq!(played.text(), "0123");
    assert_eq!((played.dropped_at, played.ended_at), (ms(450), ms(450)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_cancelled_before_its_first_token() {
    let played = play_cancelled(ms(70), [Step::Hang], AT_ONCE).await;
    assert!(was_cancelled(&played), "{:?}", played.outcome);
    assert_eq!((played.text(), played.dropped_at), (String::new(), ms(70)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_does_not_keep_a_cancelled_model_at_work() {
    let script = paced(ms(1), (0..2_000).map(|_| text("x".repeat(1_000))));
    let played = play_cancelled(seconds(5), script, |_| Take::After(seconds(60))).await;
    assert!(was_cancelled(&played), "{:?}", played.outcome);
    assert_eq!(played.dropped_at, seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_after_the_end_changes_nothing() {
    let played = play_cancelled(seconds(1), [text("a"), stop(), usage()], AT_ONCE).await;
    assert!(matches!(played.outcome.ending, Ending::Done(StopReason::EndTurn)));
    assert_eq!(played.outcome.usage, Some(USAGE));
}

#[tokio::test(start_paused = true)]
async fn a_canceller_that_goes_away_has_not_cancelled() {
    let (canceller, cancellation) = Cancellation::new();
    drop(canceller);
    let limits = Tuning::default().limits(Instant::now(), seconds(9));
    let opened = open(&Slow, &request(), &limits, &cancellation).await;
    assert!(matches!(opened, Ok(Opened::Answer(Nothing))));
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_before_the_model_is_asked_is_not_asked() {
    let (canceller, cancellation) = Cancellation::new();
    canceller.cancel();
    let limits = Tuning::default().limits(Instant::now(), seconds(9));
    let opened = open(&Unaskable, &request(), &limits, &cancellation).await;
    assert!(matches!(opened, Ok(Opened::Cancelled)));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_has_not_accepted_yet_is_let_go() {
    let (canceller, cancellation) = Cancellation::new();
    let (start, limits) = (Instant::now(), Tuning::default().limits(Instant::now(), seconds(90)));
    let cancel = async {
        tokio::time::sleep(ms(300)).await;
        canceller.cancel();
    };
    let request = request();
    let (opened, ()) = tokio::join!(open(&Slow, &request, &limits, &cancellation), cancel);
    assert!(matches!(opened, Ok(Opened::Cancelled)));
    assert_eq!(start.elapsed(), ms(300));
}

fn request() -> ChatRequest {
    ChatRequest {
        caller: auth::Caller::from_queued_owner("ann".to_owned()).unwrap(),
        stream_id: StreamId::random(),
        messages: Vec::new(),
        system: None,
        max_tokens: 1,
    }
}

struct Nothing;

impl Answer for Nothing {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        None
    }
}

/// Accepts after five seconds.
struct Slow;

impl Model for Slow {
    type Answer = Nothing;

    async fn open(&self, _: &ChatRequest) -> Result<Nothing, ModelError> {
        tokio::time::sleep(seconds(5)).await;
        Ok(Nothing)
    }
}

struct Unaskable;

impl Model for Unaskable {
    type Answer = Nothing;

    async fn open(&self, _: &ChatRequest) -> Result<Nothing, ModelError> {
        panic!("the model is asked")
    }
}
