//! SQS, and functions that die.

use local_cloud::faults::{At, CallFault, Plan, QueueFault};

use super::{ALL, APPSYNC, Play, Row, own};
use crate::{
    check::Breach,
    history::History,
    scenario::{Client, Expect, Scenario, middle, script, slow},
    stage::Kind,
};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        23,
        "delivered again after it was answered",
        "no second answer",
        APPSYNC,
        |architecture, rng| {
            let plan = Plan { model: Some(script(rng)), queue: Some(QueueFault::Again), ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done)
        },
    ),
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
    Row::playing(
        22,
        "the same message twice at once",
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
            // The SDK tries three times.
            let sends = vec![At::times(0, rng.usize(1..6), CallFault::Refuse(503))];
            let plan = Plan { model: Some(script(rng)), sends, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).client(Client::AsksAgain)
        },
    ),
    Row::new(21, "SIGKILL in the middle", "noticed; no second answer", ALL, |architecture, rng| {
        let plan = Plan { model: Some(slow(rng)), kill_after_tokens: Some(middle(rng)), ..Plan::default() };
        Scenario::new(architecture, plan, Expect::Noticed)
    })
    .slow(),
];

fn no_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    Breach::unless(history.model.is_empty(), "the model was called")
}
