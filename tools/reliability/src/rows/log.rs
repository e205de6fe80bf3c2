//! What the stream log gives back to those who have missed something.

use std::time::Duration;

use fastrand::Rng;
use local_cloud::{
    bedrock::Script,
    faults::{At, DeliveryFault, Plan},
};
use probe::Architecture;

use super::{ALL, FUNCTION_URL, Row, Runs, SENDERS};
use crate::{
    check::Breach,
    history::History,
    scenario::{Client, Drops, Expect, Scenario, another, any, early, script, slow},
    stage::Kind,
};

const DETECTABLE: &[Architecture] = &[Architecture::FunctionUrl, Architecture::WebsocketApi];

pub(super) const ROWS: &[Row] = &[
    Row::new(
        28,
        "published before the subscription, or lost on its way, and the client asks the log",
        "the gap is filled: the whole answer",
        SENDERS,
        |architecture, rng| {
            let times = rng.usize(1..3);
            let call = if rng.bool() { 0 } else { early(rng) };
            let deliveries = vec![At::times(call, times, DeliveryFault::Lose)];
            let plan = Plan { model: Some(slow(rng)), deliveries, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done)
                .client(Client::Returns { via: architecture, drops: Drops::default() })
                .also(resumed)
        },
    )
    .logged(),
    Row::new(
        37,
        "the connection breaks, or is dropped, anywhere, and the client comes back",
        "the whole answer, number by number; one call of the model",
        ALL,
        |architecture, rng| cut(architecture, architecture, rng),
    )
    .logged()
    .runs(Runs::TenTimes),
    Row::new(
        37,
        "the same, and it comes back over another of the three",
        "the whole answer, number by number; one call of the model",
        ALL,
        |architecture, rng| {
            let via = another(rng, architecture);
            cut(architecture, via, rng)
        },
    )
    .logged()
    .runs(Runs::FiveTimes),
    Row::new(
        38,
        "the client leaves, and comes back when the answer has been made",
        "the whole answer, out of the log",
        ALL,
        |architecture, rng| away(architecture, rng, Expect::Done).also(all_of_it),
    )
    .logged(),
    Row::new(
        38,
        "the same, where the runtime signals that it left",
        "the whole answer, out of the log",
        FUNCTION_URL,
        |architecture, rng| away(architecture, rng, Expect::Done).also(all_of_it),
    )
    .on(Kind::Patient)
    .logged(),
    Row::new(
        38,
        "the client leaves, and nobody comes back in time (here 1 s)",
        "model closed; the log ends with `error: interrupted`",
        DETECTABLE,
        |architecture, rng| away(architecture, rng, Expect::Error(&["interrupted"])).also(not_at_once),
    )
    .on(Kind::Brief)
    .logged(),
];

fn cut(architecture: Architecture, via: Architecture, rng: &mut Rng) -> Scenario {
    let mut plan = Plan { model: Some(slow(rng)), ..Plan::default() };
    let mut drops = Drops::default();
    match rng.u8(0..3) {
        // By the client: it lets go of the connection.
        0 => {
            drops.first = Some(early(rng));
            drops.second = rng.bool().then(|| early(rng));
        }
        // On its way, in front of some event.
        1 => {
            let first = early(rng);
            plan.deliveries.push(At::once(first, DeliveryFault::Cut));
            if rng.bool() {
                plan.deliveries.push(At::once(first + 1 + early(rng), DeliveryFault::Cut));
            }
        }
        // Both.
        _ => {
            plan.deliveries.push(At::once(early(rng), DeliveryFault::Cut));
            drops.second = Some(early(rng));
        }
    }
    Scenario::new(architecture, plan, Expect::Done).client(Client::Returns { via, drops }).also(resumed)
}

fn away(architecture: Architecture, rng: &mut Rng, expect: Expect) -> Scenario {
    let via = any(rng);
    let drops = Drops { first: Some(early(rng)), second: None, late: true };
    // Longer than the second for which an answer goes on.
    let model = Script {
        tokens: Some((0..60).map(|at| format!("{at}-{} ", rng.u16(..))).collect()),
        between_tokens: Duration::from_millis(50),
        ..script(rng)
    };
    let plan = Plan { model: Some(model), ..Plan::default() };
    Scenario::new(architecture, plan, expect).client(Client::Returns { via, drops })
}

fn resumed(history: &History, calls: [usize; 3]) -> Vec<Breach> {
    let mut found = one_call(history, calls);
    found.extend(Breach::unless(history.heard.resumptions() > 0, "the rest was never asked for"));
    found
}

fn all_of_it(history: &History, calls: [usize; 3]) -> Vec<Breach> {
    let mut found = resumed(history, calls);
    let tokens: usize = history.model.iter().map(|run| run.tokens.len()).sum();
    found.extend(Breach::unless(tokens == 60, format!("the model was stopped after {tokens} tokens")));
    found
}

/// `gone` is when it should have been given up.
fn not_at_once(history: &History, calls: [usize; 3]) -> Vec<Breach> {
    let mut found = resumed(history, calls);
    let closed = history.model.iter().filter_map(|run| run.closed).min();
    let early = closed.zip(history.gone).is_some_and(|(closed, gone)| closed < gone);
    found.extend(Breach::unless(!early && history.gone.is_some(), "the model was stopped before its time"));
    found
}

pub(super) fn one_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let calls = history.model.len();
    Breach::unless(calls == 1, format!("{calls} calls of the model"))
}
