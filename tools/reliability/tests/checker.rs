//! A checker that finds nothing proves nothing: each planted bug has to be found, under the right name.

use std::time::{Duration, Instant};

use reliability::{
    check::{CLOSED_WITHIN, Invariant, breaches},
    history::{End, Event, History, ModelRun},
};

fn event(kind: &str, seq: u64, text: &str) -> Event {
    Event {
        kind: kind.to_owned(),
        stream_id: Some("mine".to_owned()),
        seq: Some(seq),
        text: text.to_owned(),
        code: None,
        message: String::new(),
        bytes: 1,
    }
}

fn ping() -> Event {
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
        sent: events.clone(),
        received: events,
        text: "Once upon a time".to_owned(),
        end: End::Done,
        gone: None,
        met: None,
    }
}

/// The client as it is told to be, from what it received.
fn both(history: &mut History, change: impl Fn(&mut Vec<Event>)) {
    change(&mut history.sent);
    change(&mut history.received);
}

type Change = fn(&mut History);

const BUGS: &[(&str, Change, Invariant)] = &[
    ("a delta dropped by the function, numbers kept", |h| both(h, |e| drop(e.remove(2))), Invariant::Numbers),
    (
        "a delta dropped by the function, the rest renumbered",
        |h| {
            both(h, |e| {
                e.remove(2);
                e[2].seq = Some(2);
                e[3].seq = Some(3);
            });
            h.text = "Once time".into();
        },
        Invariant::Prefix,
    ),
    (
        "a delta lost on its way, the gap joined",
        |h| {
            h.received.remove(2);
            h.text = "Once time".into();
        },
        Invariant::Numbers,
    ),
    (
        "a delta lost on its way, the gap not noticed",
        |h| {
            h.received.remove(2);
            h.text = "Once ".into();
        },
        Invariant::Numbers,
    ),
    (
        "a delta repeated under a new number",
        |h| {
            both(h, |e| {
                e.insert(2, event("delta", 2, "Once "));
                e[3].seq = Some(3);
                e[4].seq = Some(4);
                e[5].seq = Some(5);
            });
            h.text = "Once Once upon a time".into();
        },
        Invariant::Prefix,
    ),
    ("a repeat with another text", |h| h.sent.insert(2, event("delta", 1, "Twice ")), Invariant::Numbers),
    ("two deltas swapped by the function", |h| h.sent.swap(1, 2), Invariant::Numbers),
    (
        "the texts of two deltas swapped",
        |h| {
            both(h, |e| {
                e[1].text = "upon a ".into();
                e[2].text = "Once ".into();
            });
            h.text = "upon a Once time".into();
        },
        Invariant::Prefix,
    ),
    ("a second terminal event", |h| both(h, |e| e.push(event("error", 5, ""))), Invariant::OneEnd),
    ("two different ends of one number", |h| h.sent.push(event("error", 4, "")), Invariant::Numbers),
    (
        "a refusal after the end",
        |h| h.received.push(Event { seq: None, ..event("error", 0, "") }),
        Invariant::OneEnd,
    ),
    ("a delta after the end", |h| h.sent.push(event("delta", 5, "!")), Invariant::OneEnd),
    ("a ping after the end", |h| h.sent.push(ping()), Invariant::OneEnd),
    (
        "an end that was never sent",
        |h| {
            h.sent.pop();
            h.received.pop();
        },
        Invariant::OneEnd,
    ),
    (
        "text of another stream",
        |h| {
            both(h, |e| e[2].text = "my password ".into());
            h.text = "Once my password time".into();
        },
        Invariant::Prefix,
    ),
    (
        "an event of another stream",
        |h| h.received.insert(1, Event { stream_id: Some("his".to_owned()), ..event("ping", 0, "") }),
        Invariant::Own,
    ),
    (
        "asked again after tokens",
        |h| h.model.insert(0, ModelRun { tokens: vec!["Once ".to_owned()], closed: Some(Instant::now()) }),
        Invariant::OneAnswer,
    ),
    (
        "complete without its last token",
        |h| {
            both(h, |e| drop(e.remove(3)));
            both(h, |e| e[3].seq = Some(3));
            h.text = "Once upon a ".into();
        },
        Invariant::Prefix,
    ),
    (
        "the model runs on when nobody reads",
        |h| {
            h.gone = Some(Instant::now());
            h.model[0].closed = None;
        },
        Invariant::Closed,
    ),
    (
        "the model is closed late",
        |h| {
            h.gone = Some(Instant::now());
            h.model[0].closed = Some(Instant::now() + CLOSED_WITHIN + Duration::from_millis(1));
        },
        Invariant::Closed,
    ),
    ("a delta without a number", |h| h.sent[2].seq = None, Invariant::Numbers),
];

#[test]
fn planted_bugs_are_found_and_named() {
    for (name, plant, invariant) in BUGS {
        let mut history = good();
        plant(&mut history);
        let found = breaches(&history);
        assert!(found.iter().any(|breach| breach.invariant == *invariant), "{name}: {found:?}");
    }
}

#[test]
fn what_the_contract_allows_is_no_breach() {
    let cases: &[(&str, Change)] = &[
        ("nothing", |_| {}),
        ("a delta sent again, its answer was lost", |h| both(h, |e| e.insert(2, event("delta", 1, "Once ")))),
        ("the end sent again", |h| both(h, |e| e.push(event("done", 4, "")))),
        ("pings in between", |h| both(h, |e| e.insert(2, ping()))),
        ("swapped on its way, put in order by the client", |h| h.received.swap(1, 2)),
        ("lost on its way, and noticed", |h| {
            h.received.remove(2);
            h.text = "Once ".into();
            h.end = End::Failed("gap".to_owned());
        }),
        ("the model broke off, and the client was told", |h| {
            both(h, |e| e[4].kind = "error".into());
            h.end = End::Error("truncated".to_owned());
        }),
        ("refused before there was a stream", |h| {
            both(h, |e| {
                e.clear();
                e.push(Event { seq: None, ..event("error", 0, "") });
            });
            h.model.clear();
            h.text.clear();
            h.end = End::Error("model_throttled".to_owned());
        }),
        ("an event lost, its end never told, and then a refusal of the second delivery", |h| {
            h.received.remove(2);
            h.received.push(Event { seq: None, ..event("error", 0, "") });
            h.text = "Once ".into();
            h.end = End::Error("interrupted".to_owned());
        }),
        ("left in the middle, and noticed in time", |h| {
            both(h, |e| e.truncate(2));
            h.text = "Once ".into();
            h.end = End::Left;
            h.gone = Some(Instant::now());
        }),
    ];
    for (name, change) in cases {
        let mut history = good();
        change(&mut history);
        assert_eq!(breaches(&history), [], "{name}");
    }
}
