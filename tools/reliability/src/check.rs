//! The invariants: what must hold whatever went wrong.

use std::{collections::BTreeMap, fmt, time::Duration};

use probe::Architecture;
use serde::Serialize;

use crate::history::{End, Event, Heard, History, joined};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Invariant {
    /// I1: the text received is a prefix of the model's, and equal to it on `done`.
    Prefix,
    /// I2: numbers rise by one; a gap is noticed and never joined.
    Numbers,
    /// I3: exactly one terminal event, and it is the last.
    OneEnd,
    /// I4: the model's connection is closed soon after nobody reads any more.
    Closed,
    /// I5: at most one call of the model has an answer.
    OneAnswer,
    /// I7: nothing of another stream.
    Own,
    /// I11: the model's connection is closed soon after somebody asked for the end.
    Stopped,
    /// I12: whoever comes back hears what comes after what it has, and nothing twice.
    Resumed,
    /// Not an invariant of every stream: what this very fault should have led to.
    Expected,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    pub invariant: Invariant,
    pub what: String,
}

/// The invariant allows 250 ms. A busy machine's scheduler may take some more before anybody can react at all; what
/// was measured is in the report.
pub const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// The invariant allows 1 s, 99 times of 100: whether that holds is seen from all stops together. The same allowance for
/// a busy machine.
pub const STOPPED_WITHIN: Duration = Duration::from_secs(3);

impl Invariant {
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefix => "I1",
            Self::Numbers => "I2",
            Self::OneEnd => "I3",
            Self::Closed => "I4",
            Self::OneAnswer => "I5",
            Self::Own => "I7",
            Self::Stopped => "I11",
            Self::Resumed => "I12",
            Self::Expected => "expected",
        }
    }
}

impl Breach {
    pub fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }

    /// What a fault should have led to, and did not.
    pub fn expected(what: impl Into<String>) -> Self {
        Self::new(Invariant::Expected, what)
    }

    /// `expected`, unless it holds.
    pub fn unless(holds: bool, what: impl Into<String>) -> Vec<Self> {
        if holds { Vec::new() } else { vec![Self::expected(what)] }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant.name(), self.what)
    }
}

/// What the history has against it.
pub fn breaches(history: &History) -> Vec<Breach> {
    let rules = [prefix, numbers, one_end, closed, one_answer, own, stopped, resumed];
    rules.iter().flat_map(|rule| rule(history)).collect()
}

fn prefix(history: &History) -> Vec<Breach> {
    let said = history.model_text();
    let mut found = Vec::new();
    let mut check = |whose: &str, text: &str, complete: bool| {
        if !said.starts_with(text) {
            found.push(Breach::new(
                Invariant::Prefix,
                format!("{whose} text is not the beginning of the model's"),
            ));
        } else if complete && text != said {
            let (has, of) = (text.len(), said.len());
            found.push(Breach::new(
                Invariant::Prefix,
                format!("{whose} text is called complete with {has} of {of} bytes"),
            ));
        }
    };
    check("the client's", &history.heard.text, history.heard.end == End::Done);
    check("the functions'", &joined(history.all_sent()), history.all_sent().any(Event::is_complete));
    found
}

fn numbers(history: &History) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut breach = |what: String| found.push(Breach::new(Invariant::Numbers, what));
    for events in &history.sent {
        let mut next = first_due(history, events);
        for event in events {
            match event.seq {
                Some(seq) if seq == next => next += 1,
                // Sent again since its answer was lost: allowed, if it is the same.
                Some(seq) if seq < next => {}
                Some(seq) => {
                    breach(format!("{seq} was sent when {next} was due"));
                    next = seq + 1;
                }
                None if matches!(event.kind.as_str(), "ping" | "error") => {}
                None => breach(format!("a {} was sent without a number", event.kind)),
            }
        }
    }
    let Heard { events: received, text, end, .. } = &history.heard;
    if let Some(seq) = two_of_one_number(history.all_sent()) {
        breach(format!("two different events were sent as number {seq}"));
    }
    if let Some(seq) = two_of_one_number(received) {
        breach(format!("two different events were received as number {seq}"));
    }
    let numbered: Vec<u64> = received.iter().filter_map(|event| event.seq).collect();
    let missing = numbered.iter().max().and_then(|&last| (0..last).find(|seq| !numbered.contains(seq)));
    // A refusal has no number: whoever waits for a missing one is told by it that there will be none.
    let refused = received.iter().any(|event| event.is_terminal() && event.seq.is_none());
    let contented = match end {
        End::Done | End::Stopped => true,
        End::Error(_) => !refused,
        End::Failed(_) | End::Left => false,
    };
    if let Some(seq) = missing
        && contented
    {
        breach(format!("number {seq} never arrived, and the client did not notice"));
    }
    if *text != joined(received) {
        breach("the client's text is not what its numbers say".to_owned());
    }
    found
}

/// What is sent begins with the first event, or with the one that was asked for.
fn first_due(history: &History, events: &[Event]) -> u64 {
    let first = events.iter().find_map(|event| event.seq).unwrap_or_default();
    let asked_for = history.heard.legs.iter().any(|leg| leg.after.map_or(0, |after| after + 1) == first);
    if asked_for { first } else { 0 }
}

fn two_of_one_number<'e>(events: impl IntoIterator<Item = &'e Event>) -> Option<u64> {
    let mut known: BTreeMap<u64, &Event> = BTreeMap::new();
    events.into_iter().find_map(|event| {
        let seq = event.seq?;
        let first = known.entry(seq).or_insert(event);
        // The size may differ: it is the transport's.
        let same = first.kind == event.kind && first.text == event.text && first.code == event.code;
        (!same).then_some(seq)
    })
}

fn one_end(history: &History) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut breach = |what: &str| found.push(Breach::new(Invariant::OneEnd, what));
    for events in &history.sent {
        let mut ended: Option<&Event> = None;
        for event in events.iter().filter(|event| event.seq.is_some() || event.kind == "ping") {
            match ended {
                Some(end) if event.seq.is_some_and(|seq| Some(seq) < end.seq) => {}
                Some(end) if event.seq == end.seq && event.kind == end.kind => {}
                Some(_) if event.is_terminal() => breach("a second terminal event was sent"),
                Some(_) => breach("something was sent after the terminal event"),
                None if event.is_terminal() => ended = Some(event),
                None => {}
            }
        }
    }
    let Heard { events: received, end, .. } = &history.heard;
    // What comes behind a gap is never told.
    let reached = |event: &&Event| {
        let is_there = |seq| received.iter().any(|other| other.seq == Some(seq));
        event.is_terminal() && event.seq.is_none_or(|seq| (0..seq).all(is_there))
    };
    let mut ends: Vec<_> = received.iter().filter(reached).map(|event| event.seq).collect();
    ends.dedup();
    match (end, ends.len()) {
        (End::Done | End::Stopped | End::Error(_), 1) | (End::Failed(_) | End::Left, _) => {}
        (End::Done | End::Stopped | End::Error(_), 0) => breach("the client has an end that nobody sent"),
        (End::Done | End::Stopped | End::Error(_), _) => {
            breach("the client received several terminal events");
        }
    }
    found
}

fn closed(history: &History) -> Vec<Breach> {
    let Some(gone) = history.gone else { return Vec::new() };
    let late = history.model.iter().filter_map(|run| match run.closed {
        Some(closed) => {
            let after = closed.saturating_duration_since(gone);
            (after > CLOSED_WITHIN)
                .then(|| format!("the model was closed {after:?} after nobody read any more"))
        }
        None => Some("the model was never closed".to_owned()),
    });
    late.map(|what| Breach::new(Invariant::Closed, what)).collect()
}

fn one_answer(history: &History) -> Vec<Breach> {
    let answers = history.model.iter().filter(|run| !run.tokens.is_empty()).count();
    let what = || Breach::new(Invariant::OneAnswer, format!("{answers} calls of the model had an answer"));
    if answers > 1 { vec![what()] } else { Vec::new() }
}

fn own(history: &History) -> Vec<Breach> {
    let events = history.all_sent().chain(&history.heard.events);
    let foreign = events.filter_map(|event| event.stream_id.as_ref()).find(|id| **id != history.stream_id);
    foreign.map(|_| Breach::new(Invariant::Own, "an event of another stream")).into_iter().collect()
}

fn stopped(history: &History) -> Vec<Breach> {
    let Some(stopped) = history.stopped else { return Vec::new() };
    let late = history.model.iter().filter_map(|run| match run.closed {
        Some(closed) => {
            let after = closed.saturating_duration_since(stopped);
            (after > STOPPED_WITHIN).then(|| format!("the model was closed {after:?} after the stop"))
        }
        None => Some("the model was never closed after the stop".to_owned()),
    });
    late.map(|what| Breach::new(Invariant::Stopped, what)).collect()
}

fn resumed(history: &History) -> Vec<Breach> {
    let mut found = Vec::new();
    for (leg, events) in history.heard.by_leg() {
        let mut next = leg.after.map_or(0, |after| after + 1);
        for seq in events.iter().filter_map(|event| event.seq) {
            let expected = match leg.via {
                // An answer's bytes come once and in order.
                Architecture::FunctionUrl => seq == next,
                // A message may be sent again, and be lost. But nothing of what the client has said it has.
                Architecture::WebsocketApi => leg.after.is_none_or(|after| seq > after),
                // What is published, whoever asked, and what is read out of the log arrive side by side.
                Architecture::Appsync => true,
            };
            if !expected {
                let what = format!("{seq} arrived over {} from one who was asked for {next}", leg.via);
                found.push(Breach::new(Invariant::Resumed, what));
            }
            next = next.max(seq + 1);
        }
    }
    found
}
