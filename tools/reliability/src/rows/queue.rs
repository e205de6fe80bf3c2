//! SQS, and functions that die.

use std::time::Duration;

use fastrand::Rng;
use local_cloud::faults::{At, CallFault, Plan, QueueFault};
use probe::Architecture;

use super::{ALL, APPSYNC, Play, Row, Runs, own};
use crate::{
    check::Breach,
    history::History,
    scenario::{Client, Drops, Expect, Scenario, any, middle, script, slow},
    stage::Kind,
};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        23,
        "delivered again after it was answered",
        "no second answer, and not a word",
        APPSYNC,
        |architecture, rng| again(architecture, rng).also(not_a_word),
    )
    .logged(),
    Row::new(23, "the same, without a stream log", "no second answer", APPSYNC, again).unlogged(),
    Row::playing(
        24,
        "ten messages, three of which fail",
        "those alone are returned",
        APPSYNC,
        Play::Own(own::poison),
    )
    .on(Kind::Batches)
    .slow(),
    Row::playing(
        25,
        "a message that can never be answered",
        "dead-letter queue, once, without a call of the model",
        APPSYNC,
        Play::Own(own::poison),
    )
    .on(Kind::Batches)
    .slow(),
    Row::new(22, "the same message twice at once", "one call of the model", APPSYNC, |architecture, rng| {
        copies(architecture, rng, 2)
    })
    .logged(),
    Row::new(22, "a hundred times at once", "one call of the model", APPSYNC, |architecture, rng| {
        copies(architecture, rng, 100)
    })
    .logged()
    .slow()
    .runs(Runs::Rarely),
    Row::new(
        22,
        "queued twice, since the answer to the first was lost",
        "one call of the model",
        APPSYNC,
        |architecture, rng| {
            let sends = vec![At::times(0, rng.usize(1..3), CallFault::DoneBut(503))];
            let plan = Plan { model: Some(script(rng)), sends, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).also(answered_once)
        },
    )
    .logged(),
    Row::playing(
        22,
        "the same message twice at once, without a stream log",
        "one call of the model",
        APPSYNC,
        Play::Open("both are answered: nothing claims a prompt before the model is called"),
    ),
    Row::new(
        26,
        "a prompt that waited too long",
        "dropped, and the subscriber is told",
        APPSYNC,
        |architecture, rng| {
            let waited = QueueFault::Waited(61_000 + rng.u64(0..600_000));
            let plan = Plan { model: Some(script(rng)), queue: Some(waited), ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Error(&["deadline_exceeded"])).also(no_call)
        },
    ),
    Row::new(
        27,
        "the prompt cannot be queued",
        "the mutation fails; the same id may be sent again",
        APPSYNC,
        |architecture, rng| {
            // The function tries three times.
            let sends = vec![At::times(0, rng.usize(1..6), CallFault::Refuse(503))];
            let plan = Plan { model: Some(script(rng)), sends, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).client(Client::AsksAgain)
        },
    ),
    Row::new(21, "SIGKILL in the middle", "noticed; no second answer", ALL, |architecture, rng| {
        Scenario::new(architecture, killing(rng), Expect::Noticed).also(answered_once)
    })
    .slow(),
    Row::new(
        21,
        "the same, and the client asks for the rest, over any of the three",
        "one `error: interrupted` within 20 s, no second answer",
        ALL,
        |architecture, rng| {
            let via = any(rng);
            Scenario::new(architecture, killing(rng), Expect::Error(&["interrupted"]))
                .client(Client::Returns { via, drops: Drops::default() })
                .patience(Duration::from_secs(8))
                .also(told_in_time)
        },
    )
    .logged()
    .slow(),
];

/// A lease is renewed every 5 s and lasts 15 s; some more to be heard of, and for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

fn again(architecture: Architecture, rng: &mut Rng) -> Scenario {
    let plan = Plan { model: Some(script(rng)), queue: Some(QueueFault::Again), ..Plan::default() };
    Scenario::new(architecture, plan, Expect::Done).also(answered_once)
}

fn copies(architecture: Architecture, rng: &mut Rng, times: usize) -> Scenario {
    let queue = Some(QueueFault::Copies(times));
    let plan = Plan { model: Some(script(rng)), queue, ..Plan::default() };
    Scenario::new(architecture, plan, Expect::Done).also(not_a_word)
}

fn killing(rng: &mut Rng) -> Plan {
    Plan { model: Some(slow(rng)), kill_after_tokens: Some(middle(rng)), ..Plan::default() }
}

fn answered_once(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let calls = history.model.len();
    Breach::unless(calls == 1, format!("{calls} calls of the model"))
}

/// Of another delivery than the one that was answered.
fn not_a_word(history: &History, calls: [usize; 3]) -> Vec<Breach> {
    let mut found = answered_once(history, calls);
    let unnumbered = history.all_sent().filter(|event| event.is_terminal() && event.seq.is_none()).count();
    found.extend(Breach::unless(unnumbered == 0, format!("{unnumbered} words about another delivery")));
    found
}

fn told_in_time(history: &History, calls: [usize; 3]) -> Vec<Breach> {
    let mut found = answered_once(history, calls);
    let killed = history.model.iter().filter_map(|run| run.closed).max();
    let after = history.heard.ended.zip(killed).map(|(told, killed)| told.saturating_duration_since(killed));
    let in_time = after.is_some_and(|after| after < TOLD_WITHIN);
    found.extend(Breach::unless(in_time, format!("told {after:?} after the end of whoever answered")));
    found
}

fn no_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    Breach::unless(history.model.is_empty(), "the model was called")
}
