//! The two seams of `relay`, played by doubles: a model that follows a script and a sink that remembers.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chat::{
    Answer, Cancellation, EventSink, Limits, ModelError, ModelErrorKind, ModelEvent, Opening, Outcome,
    SinkError, StopReason, StreamEvent, StreamId, Tuning, Usage, relay,
};
use tokio::time::{Instant, sleep};

pub(crate) const USAGE: Usage = Usage { input_tokens: 3, output_tokens: 7 };

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the model does next. After the last step its connection ends.
pub(crate) enum Step {
    Wait(Duration),
    Say(ModelEvent),
    Fail(ModelErrorKind),
    Hang,
}

pub(crate) fn text(text: impl Into<String>) -> Step {
    Step::Say(ModelEvent::Text(text.into()))
}

pub(crate) fn stop() -> Step {
    Step::Say(ModelEvent::Stop(StopReason::EndTurn))
}

pub(crate) fn usage() -> Step {
    Step::Say(ModelEvent::Usage(USAGE))
}

/// One step `every` so often, then a proper end.
pub(crate) fn paced(every: Duration, steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut script: Vec<_> = steps.into_iter().flat_map(|step| [Step::Wait(every), step]).collect();
    script.extend([stop(), usage()]);
    script
}

struct Script {
    steps: VecDeque<Step>,
    said_bytes: Arc<AtomicUsize>,
    dropped_at: Arc<Mutex<Option<Instant>>>,
}

impl Answer for Script {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            match self.steps.pop_front()? {
                Step::Wait(duration) => sleep(duration).await,
                Step::Say(event) => {
                    if let ModelEvent::Text(text) = &event {
                        self.said_bytes.fetch_add(text.len(), Ordering::SeqCst);
                    }
                    return Some(Ok(event));
                }
                Step::Fail(kind) => return Some(Err(ModelError::new(kind, "as scripted"))),
                Step::Hang => pending().await,
            }
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        *self.dropped_at.lock().unwrap() = Some(Instant::now());
    }
}

/// How the sink takes one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Take {
    After(Duration),
    Gone,
    Fail,
    Hang,
}

pub(crate) const AT_ONCE: fn(usize) -> Take = |_| Take::After(Duration::ZERO);

/// One call of the sink, with times since the request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) at: Duration,
    pub(crate) events: Vec<StreamEvent>,
    /// Bytes that the model had said when the call returned.
    pub(crate) said_bytes: usize,
    pub(crate) delivered: bool,
}

struct Recorder<T> {
    start: Instant,
    calls: Vec<Call>,
    take: T,
    said_bytes: Arc<AtomicUsize>,
}

impl<T: FnMut(usize) -> Take + Send> EventSink for Recorder<T> {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        let number = self.calls.len();
        self.calls.push(Call {
            at: self.start.elapsed(),
            events: events.to_vec(),
            said_bytes: 0,
            delivered: false,
        });
        let take = (self.take)(number);
        if let Take::After(duration) = take {
            sleep(duration).await;
        }
        let call = &mut self.calls[number];
        call.said_bytes = self.said_bytes.load(Ordering::SeqCst);
        match take {
            Take::After(_) => {
                call.delivered = true;
                Ok(())
            }
            Take::Gone => Err(SinkError::Gone),
            Take::Fail => Err(SinkError::Failed("as scripted".into())),
            Take::Hang => pending().await,
        }
    }

    /// As a transport that puts one event into a message.
    fn messages(&self) -> u64 {
        let delivered = self.calls.iter().filter(|call| call.delivered);
        delivered.map(|call| call.events.len() as u64).sum()
    }
}

/// Everything there is to know about one relayed answer; times since the request.
pub(crate) struct Played {
    pub(crate) outcome: Outcome,
    pub(crate) calls: Vec<Call>,
    pub(crate) dropped_at: Duration,
    pub(crate) ended_at: Duration,
}

/// Relays a script into a sink, with the default tuning and 15 minutes unless `adapt` says otherwise.
pub(crate) async fn play_with(
    steps: impl IntoIterator<Item = Step>,
    take: impl FnMut(usize) -> Take + Send,
    adapt: impl FnOnce(&mut Limits),
) -> Played {
    play_unless(&Cancellation::never(), steps, take, adapt).await
}

/// The same, and so much later somebody asks for the end.
pub(crate) async fn play_cancelled(
    after: Duration,
    steps: impl IntoIterator<Item = Step>,
    take: impl FnMut(usize) -> Take + Send,
) -> Played {
    let (canceller, cancellation) = Cancellation::new();
    let cancel = async {
        sleep(after).await;
        canceller.cancel();
    };
    tokio::join!(play_unless(&cancellation, steps, take, |_| {}), cancel).0
}

async fn play_unless(
    cancellation: &Cancellation,
    steps: impl IntoIterator<Item = Step>,
    take: impl FnMut(usize) -> Take + Send,
    adapt: impl FnOnce(&mut Limits),
) -> Played {
    let start = Instant::now();
    let mut limits = Tuning::default().limits(start, seconds(900));
    adapt(&mut limits);
    let said_bytes = Arc::new(AtomicUsize::new(0));
    let dropped_at = Arc::new(Mutex::new(None));
    let script = Script {
        steps: steps.into_iter().collect(),
        said_bytes: said_bytes.clone(),
        dropped_at: dropped_at.clone(),
    };
    let mut sink = Recorder { start, calls: Vec::new(), take, said_bytes };
    let opening = Opening { stream_id: StreamId::random(), model: "a-model".into() };
    let outcome = relay(opening, script, &mut sink, &limits, cancellation).await;
    let dropped_at = dropped_at.lock().unwrap().expect("the answer is dropped before relay resolves");
    let played =
        Played { outcome, calls: sink.calls, dropped_at: dropped_at - start, ended_at: start.elapsed() };
    played.assert_contract();
    played
}

pub(crate) async fn play(steps: impl IntoIterator<Item = Step>) -> Played {
    play_with(steps, AT_ONCE, |_| {}).await
}

impl Played {
    pub(crate) fn events(&self) -> impl Iterator<Item = &StreamEvent> {
        self.calls.iter().flat_map(|call| &call.events)
    }

    /// The text of each delta, with the time it was handed to the sink.
    pub(crate) fn deltas(&self) -> Vec<(Duration, &str)> {
        let events = self.calls.iter().flat_map(|call| call.events.iter().map(|event| (call.at, event)));
        events
            .filter_map(|(at, event)| match event {
                StreamEvent::Delta { text, .. } => Some((at, text.as_str())),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn text(&self) -> String {
        self.deltas().into_iter().map(|(_, text)| text).collect()
    }

    pub(crate) fn pings_at(&self) -> Vec<Duration> {
        let pings = self.calls.iter().filter(|call| matches!(call.events[..], [StreamEvent::Ping { .. }]));
        pings.map(|call| call.at).collect()
    }

    pub(crate) fn last(&self) -> &StreamEvent {
        self.events().last().expect("something was sent")
    }

    /// What must hold for every stream, however it goes.
    fn assert_contract(&self) {
        assert!(self.calls.iter().all(|call| !call.events.is_empty()), "a call with nothing to send");
        let mut next_seq = 0;
        for event in self.events() {
            if matches!(event, StreamEvent::Ping { .. }) {
                continue;
            }
            let seq = event.seq().expect("a stream's own error has a seq");
            assert_eq!(seq, next_seq, "seq rises by one from zero");
            assert_eq!(seq == 0, matches!(event, StreamEvent::Start { .. }), "start is first, and only it");
            next_seq += 1;
        }
        let all_delivered = self.calls.iter().all(|call| call.delivered);
        let terminals = self.events().filter(|event| event.is_terminal()).count();
        assert!(terminals <= 1, "one terminal event at most");
        if all_delivered {
            assert_eq!(terminals, 1, "exactly one terminal event");
        }
        if terminals == 1 {
            assert!(self.last().is_terminal(), "nothing follows the terminal event");
        }
        let delivered: Vec<_> = self.calls.iter().filter(|call| call.delivered).collect();
        assert_eq!(self.outcome.sends, delivered.len() as u64);
        assert_eq!(self.outcome.events, delivered.iter().map(|call| call.events.len() as u64).sum::<u64>());
        assert_eq!(self.outcome.messages, self.outcome.events, "this sink puts one event into a message");
    }
}
