//! The contract's rules for what arrives, applied the same way on every transport: order, gaps, repeats, the end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{Architecture, ProbeError, Received, Trace, trace::Kind};

/// `AppSync` does not keep the order of concurrent mutations, so a client has to wait a little before it calls a
/// missing number lost. The other two deliver in order: there a missing number is lost at once.
const REORDER_EVENTS: usize = 16;
const REORDER_TIME: Duration = Duration::from_secs(2);

/// Collects one stream.
pub(crate) struct Intake<F> {
    pub(crate) trace: Trace,
    pub(crate) timeout: Duration,
    on_event: F,
    next: u64,
    ended: bool,
    /// Arrived before their turn: number -> place in `trace.received`.
    early: BTreeMap<u64, usize>,
    window: usize,
    /// Since when the next number is known to be missing.
    missing_since: Option<Instant>,
    progress: Instant,
}

impl<F: FnMut(&Received)> Intake<F> {
    pub(crate) fn new(architecture: Architecture, timeout: Duration, on_event: F) -> Self {
        let started = Instant::now();
        Self {
            trace: Trace { started, connected: None, received: Vec::new(), failure: None, http_status: None },
            timeout,
            on_event,
            next: 0,
            ended: false,
            early: BTreeMap::new(),
            window: match architecture {
                Architecture::FunctionUrl | Architecture::WebsocketApi => 0,
                Architecture::Appsync => REORDER_EVENTS,
            },
            missing_since: None,
            progress: started,
        }
    }

    /// Takes one event that belongs to this stream.
    pub(crate) fn take(&mut self, received: Received) -> Result<(), ProbeError> {
        let (kind, seq, place) = (received.kind(), received.seq(), self.trace.received.len());
        self.trace.received.push(received);
        if seq.is_some_and(|seq| seq < self.next) {
            return Ok(());
        }
        if self.ended {
            return Err(violation("an event after the terminal one"));
        }
        match (kind, seq) {
            (Some(Kind::Ping), _) => (self.on_event)(&self.trace.received[place]),
            (Some(Kind::Error), None) => self.deliver(place),
            (Some(Kind::Start | Kind::Delta | Kind::Done | Kind::Error), Some(seq)) => {
                self.early.entry(seq).or_insert(place);
                return self.catch_up();
            }
            (Some(Kind::Start | Kind::Delta | Kind::Done), None) => {
                return Err(violation("an event without seq"));
            }
            (None, _) => return Err(violation("an event of unknown type")),
        }
        Ok(())
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Until when the next event must have come.
    pub(crate) fn deadline(&self) -> tokio::time::Instant {
        let silence = self.progress + self.timeout;
        let lost = self.missing_since.map(|since| since + REORDER_TIME);
        lost.map_or(silence, |lost| lost.min(silence)).into()
    }

    /// Why the wait to [`Self::deadline`] was in vain.
    pub(crate) fn expired(&self) -> ProbeError {
        self.gap().unwrap_or(ProbeError::Timeout(self.timeout, "the next event"))
    }

    /// Why it is wrong that the peer has ended the stream now.
    pub(crate) fn closed(&self) -> ProbeError {
        self.gap().unwrap_or(ProbeError::Ended)
    }

    pub(crate) fn finish(mut self, result: Result<(), ProbeError>) -> Trace {
        if let Err(error) = result {
            self.trace.http_status = self.trace.http_status.or(error.status());
            self.trace.failure = Some(error.to_string());
        }
        self.trace
    }

    fn catch_up(&mut self) -> Result<(), ProbeError> {
        let expected = self.next;
        while let Some(place) = self.early.remove(&self.next) {
            self.next += 1;
            self.deliver(place);
            if self.ended && !self.early.is_empty() {
                return Err(violation("an event after the terminal one"));
            }
        }
        if self.early.is_empty() {
            self.missing_since = None;
        } else if self.next > expected || self.missing_since.is_none() {
            self.missing_since = Some(Instant::now());
        }
        if self.early.len() > self.window { Err(self.closed()) } else { Ok(()) }
    }

    fn deliver(&mut self, place: usize) {
        let received = &self.trace.received[place];
        self.ended = received.is_terminal();
        self.progress = Instant::now();
        (self.on_event)(received);
    }

    fn gap(&self) -> Option<ProbeError> {
        self.early.first_key_value().map(|(&got, _)| ProbeError::Gap { expected: self.next, got })
    }
}

fn violation(what: &str) -> ProbeError {
    ProbeError::Protocol(format!("the server broke the stream contract: {what}"))
}

#[cfg(test)]
mod property;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(seq: i64) -> Value {
        match seq {
            0 => json!({"type": "start", "seq": 0}),
            9 => json!({"type": "done", "seq": 9}),
            99 => json!({"type": "ping"}),
            -1 => json!({"type": "error", "code": "unauthorized"}),
            -2 => json!({"type": "delta", "text": "x"}),
            -3 => json!({"type": "novelty", "seq": 1}),
            _ => json!({"type": "delta", "seq": seq, "text": seq.to_string()}),
        }
    }

    /// Feeds events by their numbers; returns the text told in order, the trace's text, and the complaint.
    fn check(architecture: Architecture, seqs: &[i64]) -> (String, String, String) {
        let mut told = String::new();
        let mut intake = Intake::new(architecture, Duration::from_secs(9), |received: &Received| {
            told.push_str(received.text());
        });
        let mut result = Ok(());
        for &seq in seqs {
            result = intake.take(Received { at: Instant::now(), event: event(seq), bytes: 1 });
            if result.is_err() {
                break;
            }
        }
        let result = if result.is_ok() && !intake.ended() { Err(intake.closed()) } else { result };
        let trace = intake.finish(result);
        let text = trace.text();
        (told, text, trace.failure.unwrap_or_default())
    }

    #[test]
    fn order_gaps_and_repeats() {
        use Architecture::{Appsync, WebsocketApi};
        let broke = |what: &str| format!("the server broke the stream contract: {what}");
        let ended = "the stream ended without a terminal event".to_owned();
        let many: Vec<i64> = (0..2).chain(10..27).collect();
        for (architecture, seqs, text, failure) in [
            (WebsocketApi, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..], "12345678", String::new()),
            (WebsocketApi, &[0, 1, 99, 1, 0, 2], "12", ended.clone()),
            (WebsocketApi, &[0, 1, 2, 3, 6], "123", "gap: expected 4, got 6".into()),
            (WebsocketApi, &[1, 0], "", "gap: expected 0, got 1".into()),
            (Appsync, &[1, 0, 3, 2, 5, 9, 8, 6, 7, 4], "12345678", String::new()),
            (Appsync, &[0, 1, 3, 3, 3], "1", "gap: expected 2, got 3".into()),
            (Appsync, &many, "1", "gap: expected 2, got 10".into()),
            (Appsync, &many[..many.len() - 1], "1", "gap: expected 2, got 10".into()),
            (Appsync, &[-1], "", String::new()),
            (WebsocketApi, &[0, 1, -1], "1", String::new()),
            (WebsocketApi, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 8], "12345678", String::new()),
            (
                WebsocketApi,
                &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
                "12345678",
                broke("an event after the terminal one"),
            ),
            (
                Appsync,
                &[0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9],
                "12345678",
                broke("an event after the terminal one"),
            ),
            (WebsocketApi, &[-1, -1], "", broke("an event after the terminal one")),
            (WebsocketApi, &[0, -2], "", broke("an event without seq")),
            (WebsocketApi, &[0, -3], "", broke("an event of unknown type")),
            (WebsocketApi, &[], "", ended),
        ] {
            let (told, joined, complaint) = check(architecture, seqs);
            assert_eq!(
                (joined.as_str(), complaint.as_str()),
                (text, failure.as_str()),
                "{architecture} {seqs:?}"
            );
            assert!(joined.starts_with(&told), "told {told:?} of {joined:?}");
            assert!(!failure.is_empty() || told == joined, "told {told:?} of {joined:?}");
        }
    }

    #[test]
    fn a_missing_number_has_two_seconds_and_a_ping_buys_no_time() {
        let timeout = Duration::from_mins(1);
        let mut intake = Intake::new(Architecture::Appsync, timeout, |_: &Received| {});
        let mut take = |seq| {
            intake.take(Received { at: Instant::now(), event: event(seq), bytes: 1 }).expect("allowed");
            intake.deadline().into_std()
        };
        let quiet = take(0);
        assert_eq!(take(99), quiet);
        assert!(take(2) < Instant::now() + REORDER_TIME);
        assert!(take(1) > quiet);
        assert!(matches!(intake.expired(), ProbeError::Timeout(..)));
    }
}
