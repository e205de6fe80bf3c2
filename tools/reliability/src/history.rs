//! What happened to one stream, as its three witnesses recorded it.

use std::time::Instant;

use local_cloud::{bedrock::ModelCall, faults::Planned};
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
    /// What the functions have sent, in the order in which it was accepted.
    pub sent: Vec<Event>,
    /// What reached the client, in that order.
    pub received: Vec<Event>,
    /// What the client made of it.
    pub text: String,
    pub end: End,
    /// Since when the function could have known that nobody reads any more.
    pub gone: Option<Instant>,
    /// When a fault first met a call or a delivery.
    pub met: Option<Instant>,
}

#[derive(Debug, Clone)]
pub struct ModelRun {
    pub tokens: Vec<String>,
    /// When the model's connection was closed, by whomever.
    pub closed: Option<Instant>,
}

/// One event of the contract, as far as the invariants look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `start`, `delta`, `ping`, `done`, `error`.
    pub kind: String,
    pub stream_id: Option<String>,
    pub seq: Option<u64>,
    pub text: String,
    pub code: Option<String>,
    pub message: String,
    /// On the wire.
    pub bytes: usize,
}

/// How the stream ended, as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Done,
    /// The contract's code.
    Error(String),
    /// The client noticed by itself that something was wrong.
    Failed(String),
    /// It did not wait for the end.
    Left,
}

impl History {
    pub fn new(
        architecture: Architecture,
        stream_id: &str,
        calls: &[ModelCall],
        planned: Option<&Planned>,
        trace: Option<&Trace>,
        seen: Vec<Event>,
        gone: Option<Instant>,
    ) -> Self {
        let portions = planned.map(Planned::sent).unwrap_or_default();
        let portions: Vec<_> = portions.into_iter().map(|(_, bytes)| bytes).collect();
        let model = calls
            .iter()
            .map(|call| ModelRun {
                tokens: call.tokens.iter().map(|(_, token)| token.clone()).collect(),
                closed: call.closed,
            })
            .collect();
        let end = trace.map_or(End::Left, |trace| match trace.outcome() {
            Outcome::Done { .. } => End::Done,
            Outcome::Error { code, .. } => End::Error(code.to_owned()),
            Outcome::Failed(why) => End::Failed(why.to_owned()),
        });
        let received = trace.map_or(seen, |trace| {
            trace.received.iter().map(|received| Event::of(&received.event, received.bytes)).collect()
        });
        let text = trace.map_or_else(|| joined(&received), Trace::text);
        let sent = sent(architecture, &portions);
        Self {
            stream_id: stream_id.to_owned(),
            model,
            sent,
            received,
            text,
            end,
            gone,
            met: planned.and_then(Planned::first_met),
        }
    }

    /// All that the model has said, if it was asked once.
    pub fn model_text(&self) -> String {
        self.model.iter().flat_map(|run| &run.tokens).map(String::as_str).collect()
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
}

fn sent(architecture: Architecture, portions: &[impl AsRef<[u8]>]) -> Vec<Event> {
    let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let messages = portions.iter().map(AsRef::as_ref);
    match architecture {
        Architecture::WebsocketApi => messages.map(|bytes| Event::of(&read(bytes), bytes.len())).collect(),
        Architecture::Appsync => messages.map(|bytes| Event::of_graphql(&read(bytes), bytes.len())).collect(),
        Architecture::FunctionUrl => {
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
pub(crate) fn joined(events: &[Event]) -> String {
    let mut text = String::new();
    for seq in 0.. {
        let Some(event) = events.iter().find(|event| event.seq == Some(seq)) else { break };
        text.push_str(&event.text);
    }
    text
}
