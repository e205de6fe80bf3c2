//! The services that carry events to the client.

use std::time::Duration;

use local_cloud::{
    bedrock::Script,
    faults::{At, CallFault, Plan},
};
use probe::Architecture;

use super::{ALL, APPSYNC, Row, SENDERS, WEBSOCKET_API};
use crate::{
    check::Breach,
    history::{End, History},
    scenario::{Client, Expect, Scenario, early, middle, script, slow},
    stage::Kind,
};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        4,
        "410 on the k-th post",
        "model stopped, no further post",
        WEBSOCKET_API,
        |architecture, rng| {
            let plan = plan(architecture, slow(rng), At::from(early(rng), CallFault::Refuse(410)));
            Scenario::new(architecture, plan, Expect::Left).client(Client::UntilRefused).also(no_second_try)
        },
    )
    .on(Kind::Signal),
    Row::new(5, "429 twice, then OK", "tried again, order kept", SENDERS, |architecture, rng| {
        let plan = plan(architecture, slow(rng), At::times(early(rng), 2, CallFault::Refuse(429)));
        Scenario::new(architecture, plan, Expect::Done)
    }),
    Row::new(6, "429 for ever", "given up within 10 s, model stopped", SENDERS, |architecture, rng| {
        let fault = At::from(early(rng), CallFault::Refuse(429));
        let plan = plan(architecture, endless(rng), fault);
        Scenario::new(architecture, plan, Expect::Left).client(Client::UntilModelCloses).also(given_up)
    }),
    Row::new(
        7,
        "a delta of 200 KB",
        "split on a character's boundary; a frame has 32 KB at most",
        ALL,
        |architecture, rng| {
            let mut script = script(rng);
            let large = "日本語 \"quoted\" 🦀\n".repeat(7_000 + rng.usize(0..100));
            if let Some(tokens) = &mut script.tokens {
                tokens.insert(middle(rng), large);
            }
            let plan = Plan { model: Some(script), ..Plan::default() };
            let scenario = Scenario::new(architecture, plan, Expect::Done);
            if architecture == Architecture::WebsocketApi { scenario.also(small_frames) } else { scenario }
        },
    ),
    Row::new(8, "403 on a post", "not tried again, model stopped", SENDERS, |architecture, rng| {
        let plan = plan(architecture, slow(rng), At::from(early(rng), CallFault::Refuse(403)));
        Scenario::new(architecture, plan, Expect::Left).client(Client::UntilRefused).also(no_second_try)
    }),
    Row::new(
        9,
        "accepted, but the answer was lost",
        "sent again; the client drops the repeated number",
        SENDERS,
        |architecture, rng| {
            let fault = At::once(early(rng), CallFault::DoneBut(503));
            Scenario::new(architecture, plan(architecture, slow(rng), fault), Expect::Done).also(was_repeated)
        },
    ),
    Row::new(10, "a post hangs", "given up after 3 s and sent again", SENDERS, |architecture, rng| {
        let fault = if rng.bool() { CallFault::Hang } else { CallFault::DoneButHang };
        let plan = plan(architecture, slow(rng), At::once(early(rng), fault));
        Scenario::new(architecture, plan, Expect::Done)
    }),
    Row::new(
        31,
        "HTTP 200 with GraphQL errors",
        "a failure: tried again, then given up",
        APPSYNC,
        |architecture, rng| {
            if rng.bool() {
                let fault = At::times(early(rng), 2, CallFault::GraphqlErrors);
                return Scenario::new(architecture, plan(architecture, slow(rng), fault), Expect::Done);
            }
            let plan = plan(architecture, endless(rng), At::from(early(rng), CallFault::GraphqlErrors));
            Scenario::new(architecture, plan, Expect::Left).client(Client::UntilModelCloses).also(given_up)
        },
    ),
];

/// 10 s, and some for a busy machine.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(12);

/// The fault meets whatever carries this architecture's events.
pub(super) fn plan(architecture: Architecture, script: Script, fault: At<CallFault>) -> Plan {
    let plan = Plan { model: Some(script), ..Plan::default() };
    match architecture {
        Architecture::WebsocketApi => Plan { posts: vec![fault], ..plan },
        Architecture::Appsync => Plan { publishes: vec![fault], ..plan },
        // Its events are written into its own answer.
        Architecture::FunctionUrl => plan,
    }
}

/// An answer that is still going on when a function gives up.
fn endless(rng: &mut fastrand::Rng) -> Script {
    let between_tokens = Duration::from_millis(100);
    Script {
        tokens: Some((0..300).map(|at| format!("{at}-{} ", rng.u16(..))).collect()),
        between_tokens,
        ..script(rng)
    }
}

/// What was accepted is in `sent`; the one call beyond it was refused.
fn no_second_try(history: &History, [posts, publishes, _]: [usize; 3]) -> Vec<Breach> {
    Breach::unless(
        posts + publishes == history.all_sent().count() + 1,
        "there was a call after the one that was refused for good",
    )
}

fn given_up(history: &History, [posts, publishes, _]: [usize; 3]) -> Vec<Breach> {
    let tries = (posts + publishes).saturating_sub(history.all_sent().count());
    let mut found = Breach::unless((2..=8).contains(&tries), "tried once only, or far too often");
    let closed = history.model.iter().filter_map(|run| run.closed).max();
    let after = closed.zip(history.met).map(|(closed, met)| closed.saturating_duration_since(met));
    found.extend(Breach::unless(after.is_some_and(|after| after < GIVEN_UP_WITHIN), "given up late"));
    found
}

fn small_frames(history: &History, _: [usize; 3]) -> Vec<Breach> {
    Breach::unless(
        history.all_sent().all(|event| event.bytes <= 32 * 1024),
        "a message has more than one frame",
    )
}

fn was_repeated(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let repeats =
        history.heard.events.windows(2).filter(|pair| pair[0].seq.is_some() && pair[0] == pair[1]).count();
    Breach::unless(
        repeats == 1 && history.heard.end == End::Done,
        "the event whose answer was lost was not sent again once",
    )
}
