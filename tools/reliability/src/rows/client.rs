//! The client, and the last part of the way to it.

use std::time::Duration;

use local_cloud::{
    bedrock::Script,
    faults::{At, DeliveryFault, Plan},
};
use probe::Architecture;

use super::{ALL, APPSYNC, FUNCTION_URL, Play, Row, SENDERS, WEBSOCKET_API, own};
use crate::{
    check::Breach,
    history::History,
    scenario::{Client, Expect, Scenario, early, endless, middle, script, slow},
    stage::Kind,
};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        1,
        "client resets in the middle, where the runtime signals it",
        "model closed, where no answer goes on without its client",
        FUNCTION_URL,
        leaving,
    )
    .on(Kind::Signal),
    Row::new(
        1,
        "client closes its WebSocket in the middle",
        "model closed (410 on the next post), where no answer goes on without its client",
        WEBSOCKET_API,
        leaving,
    )
    .on(Kind::Signal),
    Row::new(
        2,
        "client resets, and nobody tells the function",
        "runs on, up to the cap on tokens",
        FUNCTION_URL,
        |architecture, rng| {
            let tokens = (0..1200).map(|at| format!("{at} ")).collect();
            let long =
                Script { tokens: Some(tokens), between_tokens: Duration::from_millis(2), ..script(rng) };
            let plan = Plan { model: Some(long), ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Left)
                .client(Client::Leaves { after: middle(rng) })
                .also(capped)
        },
    ),
    Row::playing(
        3,
        "a reader far slower than the model",
        "nothing dropped, memory bounded",
        FUNCTION_URL,
        Play::Own(own::slow_reader),
    )
    .slow(),
    Row::new(
        28,
        "published before the subscription",
        "the gap is noticed by number",
        SENDERS,
        |architecture, rng| {
            let lost = At::times(0, rng.usize(1..3), DeliveryFault::Lose);
            Scenario::new(architecture, delivering(slow(rng), lost), Expect::Noticed)
        },
    ),
    Row::new(
        28,
        "an event is lost on its way",
        "the gap is noticed by number",
        SENDERS,
        |architecture, rng| {
            let lost = At::once(early(rng), DeliveryFault::Lose);
            Scenario::new(architecture, delivering(slow(rng), lost), Expect::Noticed)
        },
    ),
    Row::new(28, "an event is delivered twice", "the second is dropped", SENDERS, |architecture, rng| {
        let twice = At::from(early(rng), DeliveryFault::Repeat);
        Scenario::new(architecture, delivering(slow(rng), twice), Expect::Done)
    }),
    Row::new(
        29,
        "the connection drops in the middle",
        "noticed; what arrived is a prefix",
        ALL,
        |architecture, rng| {
            let cut = At::from(early(rng), DeliveryFault::Cut);
            Scenario::new(architecture, delivering(slow(rng), cut), Expect::Noticed)
        },
    ),
    Row::new(
        30,
        "mutations overtake each other",
        "the client puts them in order",
        APPSYNC,
        |architecture, rng| {
            let swapped = At::once(early(rng), DeliveryFault::Swap);
            Scenario::new(architecture, delivering(slow(rng), swapped), Expect::Done)
        },
    ),
    Row::new(
        35,
        "an answer of more than 29 s over WebSocket",
        "unaffected",
        WEBSOCKET_API,
        |architecture, rng| {
            let tokens = (0..160).map(|at| format!("{at} ")).collect();
            let long =
                Script { tokens: Some(tokens), between_tokens: Duration::from_millis(200), ..script(rng) };
            Scenario::new(architecture, Plan { model: Some(long), ..Plan::default() }, Expect::Done)
        },
    )
    .slow(),
    Row::playing(
        32,
        "JWKS down, key cached or not",
        "goes on verifying, or 503",
        ALL,
        Play::ShownBy("local-cloud: authentication"),
    ),
    Row::playing(
        33,
        "key rotation; 1,000 unknown kids",
        "one fetch in 10 s at most",
        ALL,
        Play::ShownBy("auth: verifier::cache"),
    ),
    Row::playing(
        34,
        "token expires on a live socket",
        "the next message is refused",
        WEBSOCKET_API,
        Play::ShownBy("local-cloud: authentication"),
    ),
    Row::playing(
        36,
        "malformed input of every kind",
        "a clear error, nothing paid",
        ALL,
        Play::ShownBy("local-cloud: malformed"),
    ),
];

fn leaving(architecture: Architecture, rng: &mut fastrand::Rng) -> Scenario {
    let client = Client::Leaves { after: middle(rng) };
    let plan = Plan { model: Some(endless(rng)), ..Plan::default() };
    Scenario::new(architecture, plan, Expect::Left).client(client)
}

/// `MAX_OUTPUT_TOKENS`, by default.
fn capped(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let tokens: usize = history.model.iter().map(|run| run.tokens.len()).sum();
    Breach::unless(tokens == 1024, format!("{tokens} tokens were paid for"))
}

fn delivering(script: Script, fault: At<DeliveryFault>) -> Plan {
    Plan { model: Some(script), deliveries: vec![fault], ..Plan::default() }
}
