//! The contract's rules for what arrives, applied the same way on every transport: order, gaps, repeats, the end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    Architecture, ContractError, ProbeError, Received, Trace,
    trace::{Kind, Resumption},
};

/// `AppSync` does not keep the order of concurrent mutations, so a client has to wait a little before it calls a
/// missing number lost. The other two deliver in order: there a missing number is lost at once.
const REORDER_EVENTS: usize = 16;
const REORDER_TIME: Duration = Duration::from_secs(2);

/// With a number that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    None,
    /// It may come within the window.
    Window,
    /// Somebody asks for it until it is there.
    Filled,
}

impl Patience {
    fn of(architecture: Architecture) -> Self {
        match architecture {
            Architecture::FunctionUrl | Architecture::WebsocketApi => Self::None,
            Architecture::Appsync => Self::Window,
        }
    }
}

/// Collects one stream.
pub(crate) struct Intake<F> {
    pub(crate) trace: Trace,
    pub(crate) timeout: Duration,
    on_event: F,
    next: u64,
    ended: bool,
    /// Arrived before their turn: number -> place in `trace.received`.
    early: BTreeMap<u64, usize>,
    patience: Patience,
    /// Since when the next number is known to be missing.
    missing_since: Option<Instant>,
    progress: Instant,
}

impl<F: FnMut(&Received)> Intake<F> {
    /// For what comes after a number, or everything.
    pub(crate) fn new(
        architecture: Architecture,
        after: Option<u64>,
        timeout: Duration,
        on_event: F,
    ) -> Self {
        let started = Instant::now();
        Self {
            trace: Trace {
                started,
                after,
                resumptions: Vec::new(),
                connected: None,
                received: Vec::new(),
                failure: None,
                http_status: None,
            },
            timeout,
            on_event,
            next: after.map_or(0, |after| after + 1),
            ended: false,
            early: BTreeMap::new(),
            patience: Patience::of(architecture),
            missing_since: None,
            progress: started,
        }
    }

    /// A new connection is going to bring the rest. What the last one brought too early comes again.
    pub(crate) fn resume(&mut self, via: Architecture) {
        let (at, place) = (Instant::now(), self.trace.received.len());
        self.trace.resumptions.push(Resumption { at, via, after: self.last(), place });
        self.early.clear();
        self.missing_since = None;
        self.progress = at;
        self.patience = match via {
            Architecture::FunctionUrl | Architecture::WebsocketApi => Patience::None,
            Architecture::Appsync => Patience::Filled,
        };
    }

    /// A new connection is going to ask for the stream itself, from which nothing has come.
    pub(crate) fn ask_again(&mut self, via: Architecture) {
        self.resume(via);
        self.patience = Patience::of(via);
    }

    /// The last number that there is in order.
    pub(crate) fn last(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// Whether a number is known to be missing.
    pub(crate) fn has_gap(&self) -> bool {
        !self.early.is_empty()
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
            (Some(Kind::Error), None) => {
                // There is nothing to resume: that is no end of a stream, but of the attempt.
                if let Some(error) = self.nothing_to_resume(place) {
                    self.trace.received.pop();
                    return Err(error.into());
                }
                self.deliver(place);
            }
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
        let lost = match self.patience {
            Patience::None | Patience::Window => self.missing_since.map(|since| since + REORDER_TIME),
            Patience::Filled => None,
        };
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
        if let Err(ProbeError::Contract(error)) = &result {
            // An answer, if not the one that was hoped for.
            self.trace.http_status = self.trace.http_status.or(error.status);
            self.trace.received.push(Received { at: Instant::now(), event: error.to_event(), bytes: 0 });
        } else if let Err(error) = result {
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
        let is_lost = match self.patience {
            Patience::None => !self.early.is_empty(),
            Patience::Window => self.early.len() > REORDER_EVENTS,
            Patience::Filled => false,
        };
        if is_lost { Err(self.closed()) } else { Ok(()) }
    }

    fn nothing_to_resume(&self, place: usize) -> Option<ContractError> {
        let error = ContractError::of(&self.trace.received[place].event, None)?;
        (!self.trace.resumptions.is_empty() && error.code == "not_found").then_some(error)
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
mod tests;
