//! The log over a store in memory, in paused time.

mod claiming;
mod keeping;
mod resuming;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use auth::Caller;
use chat::{
    Answer, ChatRequest, EventSink, Limits, Message, ModelError, ModelEvent, Opening, Outcome, ResumeRequest,
    Role, SinkError, StopReason, StreamEvent, StreamId, Tuning, Usage, relay,
};
use startup::Ledger;
use tokio::time::{Instant, sleep};

use crate::{Attempt, Caps, Claim, Keeper, Key, Options, StreamLog, memory::Memory};

pub(crate) const OPTIONS: Options = Options {
    retention: Duration::from_hours(1),
    caps: Caps { streams: Some(2), tokens_per_day: Some(1_000) },
    abandon_after: Duration::from_secs(30),
};

pub(crate) type Log = StreamLog<Memory>;

pub(crate) fn log() -> Log {
    log_with(OPTIONS)
}

pub(crate) fn log_with(options: Options) -> Log {
    StreamLog::new(Memory::default(), options, Ledger::new("test".to_owned()))
}

pub(crate) fn memory(log: &Log) -> &Memory {
    &log.0.as_ref().expect("a log that is on").store
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn caller(name: &str) -> Caller {
    Caller::from_queued_owner(name.to_owned()).unwrap()
}

pub(crate) fn request(owner: &str, prompt: &str) -> ChatRequest {
    ChatRequest {
        caller: caller(owner),
        stream_id: StreamId::random(),
        messages: vec![Message { role: Role::User, content: prompt.to_owned() }],
        system: None,
        max_tokens: 100,
    }
}

pub(crate) fn key_of(request: &ChatRequest) -> Key {
    Key::new(&request.caller, &request.stream_id)
}

pub(crate) fn limits() -> Limits {
    Tuning::default().limits(Instant::now(), Duration::from_mins(5))
}

pub(crate) async fn won<'a>(log: &'a Log, request: &ChatRequest) -> (Attempt, Keeper<'a, Memory>) {
    match log.claim(request, &limits()).await {
        Ok(Claim::Won(attempt, keeper)) => (attempt, keeper),
        Ok(Claim::Answered(_)) => panic!("it has been answered"),
        Err(error) => panic!("{error}"),
    }
}

/// Says one text after the other, each so long after the one before.
pub(crate) struct Script {
    every: Duration,
    texts: VecDeque<String>,
    then: VecDeque<ModelEvent>,
}

impl Script {
    pub(crate) fn of(count: usize, every: Duration) -> Self {
        let usage = Usage { input_tokens: 3, output_tokens: count as u64 };
        let then = [ModelEvent::Stop(StopReason::EndTurn), ModelEvent::Usage(usage)];
        Self { every, texts: (0..count).map(|n| format!("{n} ")).collect(), then: then.into() }
    }

    pub(crate) fn repeating(text: &str, count: usize, every: Duration) -> Self {
        Self { texts: vec![text.to_owned(); count].into(), ..Self::of(count, every) }
    }
}

impl Answer for Script {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        if let Some(text) = self.texts.pop_front() {
            sleep(self.every).await;
            return Some(Ok(ModelEvent::Text(text)));
        }
        self.then.pop_front().map(Ok)
    }
}

/// Remembers what reached it and when, until it is gone.
#[derive(Default)]
pub(crate) struct Client {
    pub(crate) events: Vec<StreamEvent>,
    pub(crate) times: Vec<Instant>,
    /// Gone after so many events.
    pub(crate) stays_for: Option<usize>,
}

impl EventSink for Client {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        if self.stays_for.is_some_and(|count| self.events.len() >= count) {
            return Err(SinkError::Gone);
        }
        self.events.extend(events.iter().cloned());
        self.times.extend(events.iter().map(|_| Instant::now()));
        Ok(())
    }

    fn messages(&self) -> u64 {
        self.events.len() as u64
    }
}

/// What a client heard, without pings.
pub(crate) fn heard(events: &[StreamEvent]) -> Vec<StreamEvent> {
    events.iter().filter(|event| !matches!(event, StreamEvent::Ping { .. })).cloned().collect()
}

pub(crate) fn text(events: &[StreamEvent]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        StreamEvent::Delta { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Answers with a script, and says what came of it and what the client heard.
pub(crate) async fn play(
    log: &Log,
    request: &ChatRequest,
    script: Script,
    client: Client,
) -> (Outcome, Client) {
    let (attempt, keeper) = won(log, request).await;
    let opening = Opening { stream_id: request.stream_id.clone(), model: Arc::from("a-model") };
    let limits = limits();
    let answer = async {
        let mut sink = attempt.record(client);
        let outcome = relay(opening, script, &mut sink, &limits, attempt.cancellation()).await;
        (outcome, sink.into_inner())
    };
    keeper.keep(answer).await
}

pub(crate) async fn resume(log: &Log, request: &ChatRequest, after: Option<u64>) -> Vec<StreamEvent> {
    let wanted = ResumeRequest { stream_id: request.stream_id.clone(), after };
    let stream = log.find(&request.caller, &wanted).await.unwrap().expect("a stream that is there");
    let mut client = Client::default();
    stream.run("id", &mut client, &limits()).await;
    heard(&client.events)
}
