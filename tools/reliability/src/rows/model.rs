//! Bedrock, and time.

use std::time::Duration;

use local_cloud::{
    bedrock::{Ending, Framing, Script},
    faults::Plan,
};
use probe::Architecture;

use super::{ALL, Row};
use crate::{
    check::Breach,
    history::History,
    scenario::{Expect, Scenario, ending, middle, script},
    stage::Kind,
};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        11,
        "model 429 or 503 before the first token",
        "3 tries at most, with jitter",
        ALL,
        |architecture, rng| {
            let times = rng.usize(1..5);
            let (status, kind, codes): (u16, &str, &[&str]) = if rng.bool() {
                (429, "ThrottlingException", &["model_throttled"])
            } else {
                (503, "ServiceUnavailableException", &["model_unavailable"])
            };
            let refused = Ending::Refused { status, kind: kind.to_owned(), times };
            let expect = if times < 3 { Expect::Done } else { Expect::Error(codes) };
            asking(architecture, ending(rng, refused), expect).also(three_tries)
        },
    ),
    Row::new(
        12,
        "model exception after token k",
        "no second try; a prefix, then `error`",
        ALL,
        |architecture, rng| {
            let kinds = [
                "modelStreamErrorException",
                "throttlingException",
                "internalServerException",
                "serviceUnavailableException",
                "validationException",
            ];
            let kind = (*rng.choice(&kinds).expect("some")).to_owned();
            let codes: &[&str] = &["model_unavailable", "model_throttled", "model_error"];
            let after = middle(rng);
            asking(architecture, ending(rng, Ending::Exception { after, kind }), Expect::Error(codes))
                .also(one_call)
        },
    ),
    Row::new(
        13,
        "validation, or access denied",
        "no second try; the cause in the log alone",
        ALL,
        |architecture, rng| {
            let (status, kind) =
                if rng.bool() { (400, "ValidationException") } else { (403, "AccessDeniedException") };
            let refused = Ending::Refused { status, kind: kind.to_owned(), times: 9 };
            asking(architecture, ending(rng, refused), Expect::Error(&["model_error"]))
                .also(says_nothing_of_the_cause)
        },
    ),
    Row::new(
        14,
        "the model's stream ends without a stop",
        "`error: truncated`, never `done`",
        ALL,
        |architecture, rng| {
            let after = middle(rng);
            asking(architecture, ending(rng, Ending::Truncated { after }), Expect::Error(&["truncated"]))
        },
    ),
    Row::new(
        15,
        "a bad checksum in a frame, or a connection that breaks",
        "`error`, and the next request is answered",
        ALL,
        |architecture, rng| {
            let after = middle(rng);
            let fault = if rng.bool() { Ending::BadChecksum { after } } else { Ending::Reset { after } };
            asking(architecture, ending(rng, fault), Expect::Error(&["model_error", "model_unavailable"]))
                .also(one_call)
        },
    ),
    Row::new(16, "frames split at every byte", "the same text", ALL, |architecture, rng| {
        let framing = if rng.bool() { Framing::Bytes } else { Framing::Pieces { seed: rng.u64(..) } };
        asking(architecture, Script { framing, ..script(rng) }, Expect::Done)
    }),
    Row::new(
        17,
        "a character of several code points split across deltas",
        "equal bytes",
        ALL,
        |architecture, rng| {
            let family = ["👩", "\u{200d}", "👩", "\u{200d}", "👧", " e", "\u{301}", " 🇪", "🇺 "];
            let tokens = (0..rng.usize(1..6)).flat_map(|_| family).map(str::to_owned).collect();
            asking(architecture, Script { tokens: Some(tokens), ..script(rng) }, Expect::Done)
        },
    ),
    Row::new(18, "63 s to the first token", "pings, then the answer", ALL, |architecture, rng| {
        let late = Script { first_token_after: Duration::from_secs(63), ..script(rng) };
        asking(architecture, late, Expect::Done).patience(Duration::from_secs(90)).also(had_pings)
    })
    .slow(),
    Row::new(18, "no first token at all", "`error: model_timeout`", ALL, |architecture, rng| {
        asking(architecture, ending(rng, Ending::Stall { after: 0 }), Expect::Error(&["model_timeout"]))
    })
    .on(Kind::Hurried),
    Row::new(19, "a stall in the middle", "`error: model_timeout`", ALL, |architecture, rng| {
        let after = middle(rng);
        asking(architecture, ending(rng, Ending::Stall { after }), Expect::Error(&["model_timeout"]))
    })
    .on(Kind::Hurried),
    Row::new(
        20,
        "Lambda's time is nearly up",
        "`error: deadline_exceeded` in time to be delivered",
        ALL,
        |architecture, rng| {
            let between_tokens = Duration::from_millis(rng.u64(50..200));
            let tokens = (0..400).map(|at| format!("{at} ")).collect();
            let long = Script { tokens: Some(tokens), between_tokens, ..script(rng) };
            asking(architecture, long, Expect::Error(&["deadline_exceeded"]))
        },
    )
    .on(Kind::Hurried),
];

fn asking(architecture: Architecture, script: Script, expect: Expect) -> Scenario {
    Scenario::new(architecture, Plan { model: Some(script), ..Plan::default() }, expect)
}

fn calls(history: &History, allowed: std::ops::RangeInclusive<usize>) -> Vec<Breach> {
    let made = history.model.len();
    Breach::unless(allowed.contains(&made), format!("{made} calls of the model"))
}

fn one_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    calls(history, 1..=1)
}

fn three_tries(history: &History, _: [usize; 3]) -> Vec<Breach> {
    calls(history, 2..=3)
}

fn says_nothing_of_the_cause(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let mut found = calls(history, 1..=1);
    if history
        .heard
        .events
        .iter()
        .any(|event| event.message.contains("script") || event.message.contains("Exception"))
    {
        found.push(Breach::expected("the model's own words reached the client"));
    }
    found
}

fn had_pings(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let pings = history.heard.events.iter().filter(|event| event.kind == "ping").count();
    Breach::unless((4..=6).contains(&pings), format!("{pings} pings in 63 s"))
}
