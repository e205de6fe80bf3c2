//! What may be wrong with a history, one thing at a time.

use std::time::{Duration, Instant};

use probe::Architecture;
use reliability::{
    check::{CLOSED_WITHIN, Invariant, STOPPED_WITHIN},
    history::{End, Event, ModelRun},
};

use crate::{Change, both, event, ping};

pub type Bug = (&'static str, Change, Invariant);

pub const BUGS: &[Bug] = &[
    ("a delta dropped by the function, numbers kept", |h| both(h, |e| drop(e.remove(2))), Invariant::Numbers),
    (
        "a delta dropped by the function, the rest renumbered",
        |h| {
            both(h, |e| {
                e.remove(2);
                e[2].seq = Some(2);
                e[3].seq = Some(3);
            });
            h.heard.text = "Once time".into();
        },
        Invariant::Prefix,
    ),
    (
        "a delta lost on its way, the gap joined",
        |h| {
            h.heard.events.remove(2);
            h.heard.text = "Once time".into();
        },
        Invariant::Numbers,
    ),
    (
        "a delta lost on its way, the gap not noticed",
        |h| {
            h.heard.events.remove(2);
            h.heard.text = "Once ".into();
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
            h.heard.text = "Once Once upon a time".into();
        },
        Invariant::Prefix,
    ),
    ("a repeat with another text", |h| h.sent[0].insert(2, event("delta", 1, "Twice ")), Invariant::Numbers),
    ("two deltas swapped by the function", |h| h.sent[0].swap(1, 2), Invariant::Numbers),
    (
        "the texts of two deltas swapped",
        |h| {
            both(h, |e| {
                e[1].text = "upon a ".into();
                e[2].text = "Once ".into();
            });
            h.heard.text = "upon a Once time".into();
        },
        Invariant::Prefix,
    ),
    ("a second terminal event", |h| both(h, |e| e.push(event("error", 5, ""))), Invariant::OneEnd),
    ("two different ends of one number", |h| h.sent[0].push(event("error", 4, "")), Invariant::Numbers),
    (
        "a refusal after the end",
        |h| h.heard.events.push(Event { seq: None, ..event("error", 0, "") }),
        Invariant::OneEnd,
    ),
    ("a delta after the end", |h| h.sent[0].push(event("delta", 5, "!")), Invariant::OneEnd),
    ("a ping after the end", |h| h.sent[0].push(ping()), Invariant::OneEnd),
    (
        "an end that was never sent",
        |h| {
            h.sent[0].pop();
            h.heard.events.pop();
        },
        Invariant::OneEnd,
    ),
    (
        "text of another stream",
        |h| {
            both(h, |e| e[2].text = "my password ".into());
            h.heard.text = "Once my password time".into();
        },
        Invariant::Prefix,
    ),
    (
        "an event of another stream",
        |h| h.heard.events.insert(1, Event { stream_id: Some("his".to_owned()), ..event("ping", 0, "") }),
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
            h.heard.text = "Once upon a ".into();
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
    ("a delta without a number", |h| h.sent[0][2].seq = None, Invariant::Numbers),
];

/// Of a client that came back.
pub const BUGS_OF_A_RESUMPTION: &[Bug] = &[
    (
        "a second call of the model for whoever comes back",
        |h| {
            let again = h.model[0].clone();
            h.model.push(again);
        },
        Invariant::OneAnswer,
    ),
    (
        "a hole between what was heard and the rest, joined",
        |h| {
            h.sent[1].remove(0);
            h.heard.events.remove(3);
            h.heard.text = "Once upon a ".into();
        },
        Invariant::Numbers,
    ),
    (
        "a hole in the rest, for whoever is asked for it over an answer's bytes",
        |h| {
            h.sent[1].remove(0);
            h.heard.events.remove(3);
            h.heard.text = "Once upon a ".into();
            h.heard.end = End::Failed("gap".to_owned());
        },
        Invariant::Resumed,
    ),
    (
        "a number again that the client has said it has",
        |h| {
            h.sent[1].insert(0, event("delta", 2, "upon a "));
            h.heard.events.insert(3, event("delta", 2, "upon a "));
        },
        Invariant::Resumed,
    ),
    (
        "the same over a WebSocket",
        |h| {
            h.heard.legs[1].via = Architecture::WebsocketApi;
            h.heard.events.insert(3, event("delta", 2, "upon a "));
        },
        Invariant::Resumed,
    ),
    (
        "a number again, with another text",
        |h| {
            h.heard.legs[1].via = Architecture::Appsync;
            h.heard.events.insert(3, event("delta", 2, "upon the "));
        },
        Invariant::Numbers,
    ),
    (
        "the rest begins elsewhere than was asked for",
        |h| {
            h.sent[1].remove(0);
        },
        Invariant::Numbers,
    ),
    (
        "a second end, for whoever comes back",
        |h| {
            h.heard.events.push(Event { seq: None, ..event("error", 0, "") });
        },
        Invariant::OneEnd,
    ),
    (
        "the rest is another answer's",
        |h| {
            h.sent[1][0].text = "a mattress".into();
            h.heard.events[3].text = "a mattress".into();
            h.heard.text = "Once upon a a mattress".into();
        },
        Invariant::Prefix,
    ),
];

/// Of an answer that was stopped.
pub const BUGS_OF_A_STOP: &[Bug] = &[
    (
        "the model is closed late",
        |h| h.model[0].closed = Some(Instant::now() + STOPPED_WITHIN + Duration::from_millis(9)),
        Invariant::Stopped,
    ),
    ("the model is never closed", |h| h.model[0].closed = None, Invariant::Stopped),
    (
        "the end says that it is all",
        |h| {
            both(h, |e| e[3].stop_reason = Some("end_turn".to_owned()));
            h.heard.end = End::Done;
        },
        Invariant::Prefix,
    ),
    (
        "text that the model has not said",
        |h| {
            both(h, |e| e[2].text = "upon a midnight ".into());
            h.heard.text = "Once upon a midnight ".into();
        },
        Invariant::Prefix,
    ),
    ("a delta after the end", |h| h.sent[0].push(event("delta", 4, "time")), Invariant::OneEnd),
];
