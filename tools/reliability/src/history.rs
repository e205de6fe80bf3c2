//! What happened to one stream, as its three witnesses recorded it.

use std::time::{Duration, Instant};

use local_cloud::{
    bedrock::ModelCall,
    faults::{Planned, To},
};
use probe::{
    Architecture, Outcome, Trace, appsync,
    sse::{Frame, Parser},
};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct History {
    pub stream_id: String,
    /// Each call of the model for this stream that was not refused.
    pub model: Vec<ModelRun>,
    /// What the functions have sent, to each of those who read, in the order in which it was accepted. What is published
    /// is one of these.
    pub sent: Vec<Vec<Event>>,
    pub heard: Heard,
    /// From the model's emission of a token to its arrival at the client, at worst, where the client was there all the
    /// time.
    pub lag: Option<Duration>,
    /// Since when the function could have known that nobody reads any more.
    pub gone: Option<Instant>,
    /// When somebody asked for the end.
    pub stopped: Option<Instant>,
    /// When a fault first met a call or a delivery.
    pub met: Option<Instant>,
}

#[derive(Debug, Clone)]
pub struct ModelRun {
    pub tokens: Vec<String>,
    /// When the model's connection was closed, by whomever.
    pub closed: Option<Instant>,
}

/// What reached the client, and what it made of it.
#[derive(Debug, Clone)]
pub struct Heard {
    /// In the order of arrival.
    pub events: Vec<Event>,
    /// Its connections, one after the other.
    pub legs: Vec<Leg>,
    pub text: String,
    pub end: End,
    /// When the event came that was the end.
    pub ended: Option<Instant>,
}

/// A connection to hear a stream over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    pub via: Architecture,
    /// The last number that the client had, if it asked for what comes after that.
    pub after: Option<u64>,
    /// Where in [`Heard::events`] begins what this one brought.
    pub place: usize,
}

/// One event of the contract, as far as the invariants look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `start`, `delta`, `ping`, `done`, `error`.
    pub kind: String,
    pub stream_id: Option<String>,
    pub seq: Option<u64>,
    pub text: String,
    pub stop_reason: Option<String>,
    pub has_usage: bool,
    pub code: Option<String>,
    pub message: String,
    /// On the wire.
    pub bytes: usize,
}

/// How the stream ended, as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Done,
    /// `done` as well, `cancelled`: before the model had said all.
    Stopped,
    /// The contract's code.
    Error(String),
    /// The client noticed by itself that something was wrong.
    Failed(String),
    /// It did not wait for the end.
    Left,
}

impl History {
    pub fn new(stream_id: &str, calls: &[ModelCall], planned: Option<&Planned>, heard: Heard) -> Self {
        let model = calls
            .iter()
            .map(|call| ModelRun {
                tokens: call.tokens.iter().map(|(_, token)| token.clone()).collect(),
                closed: call.closed,
            })
            .collect();
        let sent = planned.map(Planned::sent_to).unwrap_or_default();
        Self {
            stream_id: stream_id.to_owned(),
            model,
            sent: sent.iter().map(|(to, messages)| sent_events(to, messages)).collect(),
            heard,
            lag: None,
            gone: None,
            stopped: None,
            met: planned.and_then(Planned::first_met),
        }
    }

    /// All that the model has said, if it was asked once.
    pub fn model_text(&self) -> String {
        self.model.iter().flat_map(|run| &run.tokens).map(String::as_str).collect()
    }

    pub fn all_sent(&self) -> impl Iterator<Item = &Event> {
        self.sent.iter().flatten()
    }

    /// From asking for the end to the closing of each connection to the model.
    pub fn stopping_times(&self) -> Vec<Duration> {
        let Some(stopped) = self.stopped else { return Vec::new() };
        self.model.iter().filter_map(|run| Some(run.closed?.saturating_duration_since(stopped))).collect()
    }
}

impl Heard {
    pub fn of(architecture: Architecture, trace: &Trace) -> Self {
        let first = Leg { via: architecture, after: trace.after, place: 0 };
        let others = trace.resumptions.iter().map(|resumption| Leg {
            via: resumption.via,
            after: resumption.after,
            place: resumption.place,
        });
        let received = trace.received.iter();
        Self {
            events: received.map(|received| Event::of(&received.event, received.bytes)).collect(),
            legs: std::iter::once(first).chain(others).collect(),
            text: trace.text(),
            end: End::of(trace),
            ended: trace.terminal().map(|end| end.at),
        }
    }

    /// By somebody who did not wait for the end.
    pub fn until_it_left(architecture: Architecture, events: Vec<Event>) -> Self {
        Self {
            text: joined(&events),
            events,
            legs: vec![Leg { via: architecture, after: None, place: 0 }],
            end: End::Left,
            ended: None,
        }
    }

    /// How often the rest was asked for.
    pub fn resumptions(&self) -> usize {
        self.legs.len().saturating_sub(1)
    }

    /// Each connection with what it brought.
    pub fn by_leg(&self) -> impl Iterator<Item = (Leg, &[Event])> {
        let ends = self.legs.iter().skip(1).map(|leg| leg.place).chain([self.events.len()]);
        self.legs.iter().zip(ends).map(|(leg, end)| (*leg, &self.events[leg.place..end]))
    }
}

impl End {
    pub fn of(trace: &Trace) -> Self {
        match trace.outcome() {
            Outcome::Done { stop_reason: "cancelled" } => Self::Stopped,
            Outcome::Done { .. } => Self::Done,
            Outcome::Error { code, .. } => Self::Error(code.to_owned()),
            Outcome::Failed(why) => Self::Failed(why.to_owned()),
        }
    }
}

impl Event {
    /// From the contract's JSON.
    pub fn of(event: &Value, bytes: usize) -> Self {
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        Self {
            kind: text("type").unwrap_or_default(),
            stream_id: text("stream_id"),
            seq: event["seq"].as_u64(),
            text: text("text").unwrap_or_default(),
            stop_reason: text("stop_reason"),
            has_usage: event["usage"].is_object(),
            code: text("code"),
            message: text("message").unwrap_or_default(),
            bytes,
        }
    }

    /// From AppSync's spelling of it.
    fn of_graphql(fields: &Value, bytes: usize) -> Self {
        let event = appsync::contract(&json!({"data": {"onTokenReceived": fields}}));
        Self::of(&event.unwrap_or_default(), bytes)
    }

    pub fn is_terminal(&self) -> bool {
        self.kind == "done" || self.kind == "error"
    }

    /// Nothing is left out before it.
    pub fn is_complete(&self) -> bool {
        self.kind == "done" && self.stop_reason.as_deref() != Some("cancelled")
    }
}

fn sent_events(to: &To, messages: &[impl AsRef<[u8]>]) -> Vec<Event> {
    let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let messages = messages.iter().map(AsRef::as_ref);
    match to {
        To::Connection(_) => messages.map(|bytes| Event::of(&read(bytes), bytes.len())).collect(),
        To::Subscribers => messages.map(|bytes| Event::of_graphql(&read(bytes), bytes.len())).collect(),
        To::Request(_) => {
            let mut parser = Parser::default();
            // What is no event is noticed by the client, too, who reads the same bytes.
            let frames = messages.flat_map(|bytes| parser.push(bytes).unwrap_or_default());
            frames
                .map(|frame| match frame {
                    Frame::Event { data, bytes, .. } => Event::of(&read(data.as_bytes()), bytes),
                    Frame::Comment { bytes } => Event::of(&json!({"type": "ping"}), bytes),
                })
                .collect()
        }
    }
}

/// The text up to the first number that is missing.
pub(crate) fn joined<'e>(events: impl IntoIterator<Item = &'e Event>) -> String {
    let mut by_seq = std::collections::BTreeMap::new();
    for event in events {
        if let Some(seq) = event.seq {
            by_seq.entry(seq).or_insert(event);
        }
    }
    let in_order = (0..).zip(by_seq).take_while(|(expected, (seq, _))| expected == seq);
    in_order.map(|(_, (_, event))| event.text.as_str()).collect()
}

/// How late each token reached the client, as far as it did: with the event that has its last byte.
pub fn lags(trace: &Trace, call: &ModelCall) -> Vec<Duration> {
    let mut arrivals = trace.ordered().into_iter().filter(|received| !received.text().is_empty());
    let (mut arrived, mut emitted, mut at) = (0, 0, None);
    let mut lags = Vec::with_capacity(call.tokens.len());
    for (sent, token) in &call.tokens {
        emitted += token.len();
        while arrived < emitted {
            let Some(received) = arrivals.next() else { return lags };
            arrived += received.text().len();
            at = Some(received.at);
        }
        lags.extend(at.map(|at| at.saturating_duration_since(*sent)));
    }
    lags
}
