//! A checker that finds nothing proves nothing: each planted bug has to be found, under the right name.

mod bugs;

use std::time::Instant;

use probe::Architecture;
use reliability::{
    check::breaches,
    history::{End, Event, Heard, History, Leg, ModelRun},
};

use crate::bugs::{BUGS, BUGS_OF_A_RESUMPTION, BUGS_OF_A_STOP};

pub fn event(kind: &str, seq: u64, text: &str) -> Event {
    Event {
        kind: kind.to_owned(),
        stream_id: Some("mine".to_owned()),
        seq: Some(seq),
        text: text.to_owned(),
        stop_reason: (kind == "done").then(|| "end_turn".to_owned()),
        has_usage: kind == "done",
        code: None,
        message: String::new(),
        bytes: 1,
    }
}

pub fn ping() -> Event {
    Event { seq: None, ..event("ping", 0, "") }
}

/// Four tokens in three deltas, all as it should be.
fn good() -> History {
    let events = vec![
        event("start", 0, ""),
        event("delta", 1, "Once "),
        event("delta", 2, "upon a "),
        event("delta", 3, "time"),
        event("done", 4, ""),
    ];
    let tokens = ["Once ", "upon ", "a ", "time"].map(str::to_owned).to_vec();
    History {
        stream_id: "mine".to_owned(),
        model: vec![ModelRun { tokens, closed: Some(Instant::now()) }],
        sent: vec![events.clone()],
        heard: Heard {
            legs: vec![Leg { via: Architecture::WebsocketApi, after: None, place: 0 }],
            events,
            text: "Once upon a time".to_owned(),
            end: End::Done,
            ended: Some(Instant::now()),
        },
        lag: None,
        gone: None,
        stopped: None,
        met: None,
    }
}

/// The same, heard over two connections: the first broke in front of number 3.
fn resumed() -> History {
    let mut history = good();
    let rest = history.sent[0].split_off(3);
    history.sent.push(rest);
    history.heard.legs.push(Leg { via: Architecture::FunctionUrl, after: Some(2), place: 3 });
    history
}

/// The same, stopped after two deltas.
fn stopped() -> History {
    let mut history = good();
    both(&mut history, |events| {
        events.remove(3);
        events[3] =
            Event { stop_reason: Some("cancelled".to_owned()), has_usage: false, ..event("done", 3, "") };
    });
    history.heard.text = "Once upon a ".into();
    history.heard.end = End::Stopped;
    history.stopped = Some(Instant::now());
    history
}

/// The client as it is told to be, from what it received.
pub fn both(history: &mut History, change: impl Fn(&mut Vec<Event>)) {
    change(&mut history.sent[0]);
    change(&mut history.heard.events);
}

/// What is done to a history.
pub type Change = fn(&mut History);

#[test]
fn planted_bugs_are_found_and_named() {
    for (without, bugs) in [(good(), BUGS), (resumed(), BUGS_OF_A_RESUMPTION), (stopped(), BUGS_OF_A_STOP)] {
        assert_eq!(breaches(&without), []);
        for (name, plant, invariant) in bugs {
            let mut history = without.clone();
            plant(&mut history);
            let found = breaches(&history);
            assert!(found.iter().any(|breach| breach.invariant == *invariant), "{name}: {found:?}");
        }
    }
}

#[test]
fn what_the_contract_allows_is_no_breach() {
    let cases: &[(&str, Change)] = &[
        ("nothing", |_| {}),
        ("a delta sent again, its answer was lost", |h| both(h, |e| e.insert(2, event("delta", 1, "Once ")))),
        ("the end sent again", |h| both(h, |e| e.push(event("done", 4, "")))),
        ("pings in between", |h| both(h, |e| e.insert(2, ping()))),
        ("swapped on its way, put in order by the client", |h| h.heard.events.swap(1, 2)),
        ("lost on its way, and noticed", |h| {
            h.heard.events.remove(2);
            h.heard.text = "Once ".into();
            h.heard.end = End::Failed("gap".to_owned());
        }),
        ("the model broke off, and the client was told", |h| {
            both(h, |e| e[4].kind = "error".into());
            h.heard.end = End::Error("truncated".to_owned());
        }),
        ("refused before there was a stream", |h| {
            both(h, |e| {
                e.clear();
                e.push(Event { seq: None, ..event("error", 0, "") });
            });
            h.model.clear();
            h.heard.text.clear();
            h.heard.end = End::Error("model_throttled".to_owned());
        }),
        ("an event lost, its end never told, and then a refusal of the second delivery", |h| {
            h.heard.events.remove(2);
            h.heard.events.push(Event { seq: None, ..event("error", 0, "") });
            h.heard.text = "Once ".into();
            h.heard.end = End::Error("interrupted".to_owned());
        }),
        ("left in the middle, and noticed in time", |h| {
            both(h, |e| e.truncate(2));
            h.heard.text = "Once ".into();
            h.heard.end = End::Left;
            h.gone = Some(Instant::now());
        }),
    ];
    for (name, change) in cases {
        let mut history = good();
        change(&mut history);
        assert_eq!(breaches(&history), [], "{name}");
    }
    let cases: &[(&str, Change)] = &[
        ("what is published reaches whoever has read it in the log", |h| {
            h.heard.legs[1].via = Architecture::Appsync;
            h.heard.events.insert(3, event("delta", 2, "upon a "));
        }),
        ("a message that came too early, and again with the rest", |h| {
            h.heard.events.insert(3, event("done", 4, ""));
            h.heard.legs[1].place = 4;
        }),
        ("whoever answered died, and whoever comes back is told", |h| {
            h.sent[1] = vec![Event { seq: None, ..event("error", 0, "") }];
            h.heard.events.truncate(3);
            h.heard.events.push(Event { seq: None, ..event("error", 0, "") });
            h.heard.text = "Once upon a ".into();
            h.heard.end = End::Error("interrupted".to_owned());
        }),
        ("the first connection goes on when nobody reads it", |h| {
            h.sent[0].push(event("delta", 3, "time"));
        }),
    ];
    for (name, change) in cases {
        let mut history = resumed();
        change(&mut history);
        assert_eq!(breaches(&history), [], "{name}");
    }
}
