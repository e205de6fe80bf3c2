use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::Architecture;

/// One event as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// When the bytes that completed it were read.
    pub at: Instant,
    /// In the contract's JSON form, whatever the transport's own spelling.
    pub event: Value,
    /// Its size on the wire: the server-sent event with its field names, or the WebSocket message.
    pub bytes: usize,
}

impl Received {
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.event["type"].as_str()? {
            "start" => Some(Kind::Start),
            "delta" => Some(Kind::Delta),
            "ping" => Some(Kind::Ping),
            "done" => Some(Kind::Done),
            "error" => Some(Kind::Error),
            _ => None,
        }
    }

    pub fn seq(&self) -> Option<u64> {
        self.event["seq"].as_u64()
    }

    /// A delta's text; empty for everything else.
    pub fn text(&self) -> &str {
        match self.kind() {
            Some(Kind::Delta) => self.event["text"].as_str().unwrap_or_default(),
            Some(Kind::Start | Kind::Ping | Kind::Done | Kind::Error) | None => "",
        }
    }

    /// `done` or `error`: nothing may follow.
    pub fn is_terminal(&self) -> bool {
        match self.kind() {
            Some(Kind::Done | Kind::Error) => true,
            Some(Kind::Start | Kind::Delta | Kind::Ping) | None => false,
        }
    }
}

/// The contract's event types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    Delta,
    Ping,
    Done,
    Error,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    Done {
        stop_reason: &'a str,
    },
    /// The server said so, with the contract's code.
    Error {
        code: &'a str,
        message: &'a str,
    },
    /// The transport or the contract broke.
    Failed(&'a str),
}

/// Everything that one stream did.
#[derive(Debug, Clone)]
pub struct Trace {
    pub started: Instant,
    /// What was asked for begins after this number.
    pub after: Option<u64>,
    /// Each time that the rest was asked for.
    pub resumptions: Vec<Resumption>,
    /// TCP and TLS stand; with the upgrade for websocket-api, and with `start_ack` for appsync.
    pub connected: Option<Instant>,
    /// In the order of arrival: with repeated numbers, pings, and what came too early.
    pub received: Vec<Received>,
    pub failure: Option<String>,
    /// Of the answer to the POST, of a refused upgrade, or of the mutation.
    pub http_status: Option<u16>,
}

/// A connection that asked for the rest of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumption {
    pub at: Instant,
    pub via: Architecture,
    /// The last number that there was in order.
    pub after: Option<u64>,
    /// How much had arrived before: what this connection brought begins at this place of [`Trace::received`].
    pub place: usize,
}

impl Trace {
    /// The numbered events in the contract's order, each once, up to the first gap or the terminal event: text is
    /// never joined over a gap, and nothing counts that comes after the end.
    pub fn ordered(&self) -> Vec<&Received> {
        let mut by_seq = BTreeMap::new();
        for received in &self.received {
            if let Some(seq) = received.seq() {
                by_seq.entry(seq).or_insert(received);
            }
        }
        let mut ordered: Vec<&Received> = Vec::new();
        let first = self.after.map_or(0, |after| after + 1);
        for (expected, (seq, received)) in
            (first..).zip(by_seq.range(first..).map(|(&seq, &received)| (seq, received)))
        {
            if expected != seq || ordered.last().is_some_and(|last| last.is_terminal()) {
                break;
            }
            ordered.push(received);
        }
        ordered
    }

    pub fn text(&self) -> String {
        self.ordered().into_iter().map(Received::text).collect()
    }

    /// The numbers as they arrived.
    pub fn seqs(&self) -> Vec<u64> {
        self.received.iter().filter_map(Received::seq).collect()
    }

    /// The event that ended the stream: the last in order, or a refusal from before there was one.
    pub fn terminal(&self) -> Option<&Received> {
        let unnumbered =
            || self.received.iter().find(|received| received.is_terminal() && received.seq().is_none());
        self.ordered().pop().filter(|received| received.is_terminal()).or_else(unnumbered)
    }

    pub fn outcome(&self) -> Outcome<'_> {
        if let Some(failure) = &self.failure {
            return Outcome::Failed(failure);
        }
        let Some(terminal) = self.terminal() else { return Outcome::Failed("no terminal event") };
        let field = |name: &str| terminal.event[name].as_str().unwrap_or_default();
        if terminal.kind() == Some(Kind::Done) {
            Outcome::Done { stop_reason: field("stop_reason") }
        } else {
            Outcome::Error { code: field("code"), message: field("message") }
        }
    }

    /// How many seconds the `error` at the end asks to wait.
    pub fn retry_after(&self) -> Option<u64> {
        self.terminal()?.event["retry_after"].as_u64()
    }

    pub fn connect(&self) -> Option<Duration> {
        self.connected.map(|at| at - self.started)
    }

    /// From the start to the arrival of the `start` event.
    pub fn accepted(&self) -> Option<Duration> {
        self.received
            .iter()
            .find(|received| received.kind() == Some(Kind::Start))
            .map(|received| self.since(received))
    }

    /// From the start to the first text.
    pub fn first_token(&self) -> Option<Duration> {
        self.tokens().next().map(|received| self.since(received))
    }

    /// From the start to the last text.
    pub fn last_token(&self) -> Option<Duration> {
        self.tokens().last().map(|received| self.since(received))
    }

    /// From the start to the terminal event, or to the last arrival where there is none.
    pub fn total(&self) -> Option<Duration> {
        self.terminal().or(self.received.last()).map(|received| self.since(received))
    }

    /// The times between the arrivals of text.
    pub fn arrival_gaps(&self) -> Vec<Duration> {
        let arrivals: Vec<_> = self.tokens().map(|received| received.at).collect();
        arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    pub fn bytes(&self) -> usize {
        self.received.iter().map(|received| received.bytes).sum()
    }

    pub fn deltas(&self) -> usize {
        self.received.iter().filter(|received| received.kind() == Some(Kind::Delta)).count()
    }

    fn tokens(&self) -> impl Iterator<Item = &Received> {
        self.received.iter().filter(|received| !received.text().is_empty())
    }

    fn since(&self, received: &Received) -> Duration {
        received.at.saturating_duration_since(self.started)
    }
}
