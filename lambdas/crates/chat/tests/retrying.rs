//! Trying again: only before the first token, only for reasons that pass, and not for ever.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use auth::Caller;
use chat::{
    Answer, Backoff, Cancellation, ChatRequest, Limits, Model, ModelError, ModelErrorKind, ModelEvent,
    RequestLimits, Retrying, StopReason, Tuning,
};
use tokio::time::Instant;

use Attempt::{Answers, Fails, Hangs};
use ModelErrorKind::{Garbled, Rejected, Throttled, TimedOut, Unavailable};

type Said = Result<ModelEvent, ModelErrorKind>;

enum Attempt {
    Fails(ModelErrorKind),
    Answers(Vec<Said>),
    Hangs,
}

/// A model whose attempts are scripted and counted.
#[derive(Clone, Default)]
struct Scripted {
    attempts: Arc<Mutex<VecDeque<Attempt>>>,
    opened_at: Arc<Mutex<Vec<Instant>>>,
    given_up: Arc<AtomicBool>,
}

struct ScriptedAnswer(VecDeque<Said>);

/// Tells when an attempt is dropped before it is through.
struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Model for Scripted {
    type Answer = ScriptedAnswer;

    async fn open(&self, _: &ChatRequest) -> Result<ScriptedAnswer, ModelError> {
        self.opened_at.lock().unwrap().push(Instant::now());
        let attempt = self.attempts.lock().unwrap().pop_front().expect("an attempt that the script foresees");
        match attempt {
            Fails(kind) => Err(ModelError::new(kind, "as scripted")),
            Answers(said) => Ok(ScriptedAnswer(said.into())),
            Hangs => {
                let _given_up = OnDrop(self.given_up.clone());
                pending().await
            }
        }
    }
}

impl Answer for ScriptedAnswer {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        let said = self.0.pop_front()?;
        Some(said.map_err(|kind| ModelError::new(kind, "as scripted")))
    }
}

fn request() -> ChatRequest {
    let caller = Caller::from_queued_owner("ann".into()).unwrap();
    ChatRequest::parse(caller, br#"{"prompt":"hi"}"#, RequestLimits { max_output_tokens: 9 }).unwrap()
}

fn limits() -> Limits {
    Tuning::default().limits(Instant::now(), Duration::from_mins(15))
}

fn say(text: &str) -> ModelEvent {
    ModelEvent::Text(text.into())
}

const STOP: Said = Ok(ModelEvent::Stop(StopReason::EndTurn));

/// Reads an answer to its end: its text, and the error that ended it or refused it.
async fn read(model: &Scripted) -> (String, Option<ModelErrorKind>) {
    let retrying = Retrying::new(model.clone(), Backoff::default());
    let mut text = String::new();
    let mut answer = match chat::open(&retrying, &request(), &limits(), &Cancellation::never()).await {
        Ok(answer) => answer,
        Err(error) => return (text, Some(error.kind)),
    };
    while let Some(event) = answer.next().await {
        match event {
            Ok(ModelEvent::Text(more)) => text.push_str(&more),
            Ok(_) => {}
            Err(error) => return (text, Some(error.kind)),
        }
    }
    (text, None)
}

async fn check(name: &str, attempts: Vec<Attempt>, opened: usize, expected: (&str, Option<ModelErrorKind>)) {
    let model = Scripted { attempts: Arc::new(Mutex::new(attempts.into())), ..Scripted::default() };
    let (text, error) = read(&model).await;
    assert_eq!((text.as_str(), error), expected, "{name}");
    assert_eq!(model.opened_at.lock().unwrap().len(), opened, "{name}: attempts");
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_three_times_in_all_before_the_first_token() {
    let whole = || Answers(vec![Ok(say("a")), STOP]);
    let fails_late = |kind| Answers(vec![Err(kind)]);
    check("works at once", vec![whole()], 1, ("a", None)).await;
    check("throttled once", vec![Fails(Throttled), whole()], 2, ("a", None)).await;
    check("down once", vec![Fails(Unavailable), whole()], 2, ("a", None)).await;
    check("both", vec![Fails(Unavailable), Fails(Throttled), whole()], 3, ("a", None)).await;
    let three = vec![Fails(Throttled), Fails(Throttled), Fails(Unavailable)];
    check("three times", three, 3, ("", Some(Unavailable))).await;
    check("after opening", vec![fails_late(Throttled), whole()], 2, ("a", None)).await;
    let mixed = vec![Fails(Throttled), fails_late(Unavailable), whole()];
    check("once each way", mixed, 3, ("a", None)).await;
    let mixed = vec![fails_late(Unavailable), Fails(Throttled), fails_late(Throttled)];
    check("both ways count as one", mixed, 3, ("", Some(Throttled))).await;
    let thought = Answers(vec![Ok(ModelEvent::Activity), Err(Unavailable)]);
    check("after thinking", vec![thought, whole()], 2, ("a", None)).await;
    let nothing = Answers(vec![Ok(say("")), Err(Unavailable)]);
    check("after empty text, which nobody saw", vec![nothing, whole()], 2, ("a", None)).await;
}

#[tokio::test(start_paused = true)]
async fn after_the_first_token_nothing_is_tried_again() {
    for kind in [Throttled, Unavailable, Garbled, Rejected, TimedOut] {
        let broken = Answers(vec![Ok(say("a")), Err(kind)]);
        check("after a token", vec![broken], 1, ("a", Some(kind))).await;
        let broken = Answers(vec![Ok(say("a")), Ok(ModelEvent::Activity), Ok(say("b")), Err(kind)]);
        check("after two", vec![broken], 1, ("ab", Some(kind))).await;
    }
    let again = Answers(vec![Ok(say("a")), Err(Throttled)]);
    check("after a token of the second try", vec![Fails(Throttled), again], 2, ("a", Some(Throttled))).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_not_tried_again() {
    for kind in [Rejected, Garbled, TimedOut] {
        check("on opening", vec![Fails(kind)], 1, ("", Some(kind))).await;
        check("before the first token", vec![Answers(vec![Err(kind)])], 1, ("", Some(kind))).await;
        check("on the second try", vec![Fails(Throttled), Fails(kind)], 2, ("", Some(kind))).await;
    }
    check("an answer that ends without a word", vec![Answers(vec![])], 1, ("", None)).await;
}

#[tokio::test(start_paused = true)]
async fn the_pauses_between_tries_stay_under_their_ceilings() {
    let mut pauses = Vec::new();
    for _ in 0..100 {
        let attempts = [Fails(Throttled), Fails(Throttled), Fails(Throttled)].into();
        let model = Scripted { attempts: Arc::new(Mutex::new(attempts)), ..Scripted::default() };
        read(&model).await;
        let opened_at = model.opened_at.lock().unwrap();
        pauses.push((opened_at[1] - opened_at[0], opened_at[2] - opened_at[1]));
    }
    // The clock of tokio counts whole milliseconds.
    let tick = Duration::from_millis(1);
    assert!(pauses.iter().all(|(first, _)| *first <= Duration::from_millis(400) + tick));
    assert!(pauses.iter().all(|(_, second)| *second <= Duration::from_millis(800) + tick));
    // Full jitter: all of the range, or those who failed together come back together.
    assert!(pauses.iter().any(|(first, _)| *first < Duration::from_millis(100)));
    assert!(pauses.iter().any(|(first, _)| *first > Duration::from_millis(300)));
}

#[test]
fn a_pause_doubles_up_to_the_cap_and_after_the_last_try_there_is_none() {
    let backoff = Backoff { attempts: 100, ..Backoff::default() };
    for (attempt, ceiling) in [(1, 400), (2, 800), (3, 1600), (4, 3000), (5, 3000), (40, 3000), (99, 3000)] {
        let longest = (0..500).map(|_| backoff.pause_after(attempt).unwrap()).max().unwrap();
        let ceiling = Duration::from_millis(ceiling);
        assert!(longest <= ceiling, "after {attempt}: {longest:?}");
        assert!(longest > ceiling / 2, "after {attempt}: {longest:?} is all that 500 draws gave");
    }
    assert_eq!(backoff.pause_after(100), None);
    assert_eq!(Backoff { attempts: 1, ..Backoff::default() }.pause_after(1), None);
}

/// Whatever is configured: never more tries than that, no pause over its ceiling, and so an end that can be foretold.
#[tokio::test(start_paused = true)]
async fn any_schedule_keeps_to_its_tries_its_cap_and_its_time() {
    // The pauses are drawn from the thread's own generator.
    fastrand::seed(7);
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let attempts = rng.u32(1..8);
        let (base, cap) =
            (Duration::from_millis(rng.u64(0..2_000)), Duration::from_millis(rng.u64(0..5_000)));
        let backoff = Backoff { attempts, base, cap };
        let ceilings: Vec<_> =
            (0..attempts - 1).map(|doubled| (base * 2_u32.pow(doubled)).min(cap)).collect();
        let model = Scripted {
            attempts: Arc::new(Mutex::new((0..attempts).map(|_| Fails(Throttled)).collect())),
            ..Scripted::default()
        };
        let limits = Tuning { first_token: Duration::from_hours(1), ..Tuning::default() };
        let limits = limits.limits(Instant::now(), Duration::from_hours(1));
        let start = Instant::now();
        let refused =
            chat::open(&Retrying::new(model.clone(), backoff), &request(), &limits, &Cancellation::never())
                .await;
        assert_eq!(refused.err().map(|error| error.kind), Some(Throttled), "seed {seed}");
        let opened_at = model.opened_at.lock().unwrap();
        assert_eq!(opened_at.len(), attempts as usize, "seed {seed}: {backoff:?}");
        let tick = Duration::from_millis(1);
        for (pause, ceiling) in opened_at.windows(2).map(|two| two[1] - two[0]).zip(&ceilings) {
            assert!(pause <= *ceiling + tick, "seed {seed}: {pause:?} of {ceiling:?}, {backoff:?}");
        }
        let longest = ceilings.iter().sum::<Duration>() + tick * attempts;
        assert!(start.elapsed() <= longest, "seed {seed}: {:?} of {longest:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn giving_up_on_opening_drops_the_attempt() {
    for before in [vec![], vec![Fails(Throttled)]] {
        let attempts = before.into_iter().chain([Hangs]).collect();
        let model = Scripted { attempts: Arc::new(Mutex::new(attempts)), ..Scripted::default() };
        let start = Instant::now();
        assert_eq!(read(&model).await, (String::new(), Some(TimedOut)));
        assert_eq!(start.elapsed(), Duration::from_secs(75), "the time for a first token, retries included");
        assert!(model.given_up.load(Ordering::SeqCst), "the connection to the model would stay open");
    }
}
