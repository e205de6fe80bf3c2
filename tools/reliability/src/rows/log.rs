//! The stream log: what it gives back to those who have missed something, and what becomes of it when its table fails.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use local_cloud::{
    bedrock::Script,
    faults::{At, CallFault, DeliveryFault, Plan},
};
use probe::Architecture;

use super::{ALL, APPSYNC, FUNCTION_URL, Play, Row, Runs, SENDERS};
use crate::{
    check::{Breach, Invariant},
    history::{End, Heard, History},
    scenario::{Client, Drops, Expect, Scenario, another, any, early, middle, script, slow},
    stage::{Kind, Stage},
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
    Row::playing(
        42,
        "the log's table is throttled, fails, hangs or is slow for a while",
        "the live stream does not notice; the log is whole in the end",
        ALL,
        Play::Own(store_fails_for_a_while),
    )
    .logged(),
    Row::playing(
        42,
        "the log's table fails for good, from some call on",
        "the live stream does not notice; the log ends with `error: interrupted`, never across a hole",
        ALL,
        Play::Own(store_fails_for_good),
    )
    .logged()
    .slow(),
    Row::new(
        42,
        "the log's table fails when an answer is claimed",
        "`error: internal`, no call of the model",
        ALL,
        |architecture, rng| {
            let store = vec![At::from(0, store_fault(rng))];
            let plan = Plan { model: Some(script(rng)), store, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Error(&["internal"])).also(no_call)
        },
    )
    .logged(),
    Row::new(
        42,
        "the claim was written, but the answer to it was lost",
        "the claim is known again: one whole answer",
        ALL,
        |architecture, rng| {
            let store = vec![At::once(0, lost_answer(rng))];
            let plan = Plan { model: Some(script(rng)), store, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).also(one_call)
        },
    )
    .logged(),
    Row::new(
        42,
        "the same, when a worker takes the prompt out of the queue",
        "the claim is known again: one whole answer",
        APPSYNC,
        |architecture, rng| {
            let store = vec![At::once(1, lost_answer(rng))];
            let plan = Plan { model: Some(script(rng)), store, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).also(one_call)
        },
    )
    .logged(),
    Row::new(
        42,
        "the log's table fails when a worker takes a prompt out of the queue",
        "the prompt is delivered again: one whole answer",
        APPSYNC,
        |architecture, rng| {
            // The SDK tries three times.
            let store = vec![At::times(1, rng.usize(3..6), store_fault(rng))];
            let plan = Plan { model: Some(script(rng)), store, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).also(one_call)
        },
    )
    .logged(),
];

/// Nothing of the log may hold up a stream; a busy machine may.
const LAG: Duration = Duration::from_millis(1500);

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

fn one_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let calls = history.model.len();
    Breach::unless(calls == 1, format!("{calls} calls of the model"))
}

fn no_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    Breach::unless(history.model.is_empty(), "the model was called")
}

fn refusal(rng: &mut Rng) -> CallFault {
    CallFault::Refuse(*rng.choice(&[429, 500, 503]).expect("three"))
}

fn store_fault(rng: &mut Rng) -> CallFault {
    if rng.u8(0..4) == 0 { CallFault::Hang } else { refusal(rng) }
}

fn lost_answer(rng: &mut Rng) -> CallFault {
    if rng.bool() { CallFault::DoneBut(500) } else { CallFault::DoneButHang }
}

fn store_fails_for_a_while(
    stage: &Stage,
    architecture: Architecture,
    seed: u64,
) -> LocalBoxFuture<'_, Vec<Breach>> {
    let mut rng = Rng::with_seed(seed);
    let (fault, times) = match rng.u8(0..6) {
        0 => (CallFault::Late(rng.u64(100..900)), 8),
        1 => (CallFault::DoneBut(500), 8),
        // Each takes a second: not so many that the last words, too, are met.
        2 => (CallFault::Hang, 4),
        _ => (refusal(&mut rng), 8),
    };
    let store = vec![At::times(claimed(architecture) + rng.usize(0..4), rng.usize(1..times), fault)];
    store_fails(stage, architecture, seed, store, None).boxed_local()
}

fn store_fails_for_good(
    stage: &Stage,
    architecture: Architecture,
    seed: u64,
) -> LocalBoxFuture<'_, Vec<Breach>> {
    let mut rng = Rng::with_seed(seed);
    let (fault, given_up_after) = match rng.u8(0..4) {
        0 => (CallFault::Hang, Duration::from_millis(4500)),
        _ => (refusal(&mut rng), Duration::from_millis(1500)),
    };
    let store = vec![At::from(claimed(architecture) + rng.usize(0..8), fault)];
    store_fails(stage, architecture, seed, store, Some(given_up_after)).boxed_local()
}

/// How many calls it takes until somebody answers.
fn claimed(architecture: Architecture) -> usize {
    match architecture {
        Architecture::FunctionUrl | Architecture::WebsocketApi => 1,
        Architecture::Appsync => 2,
    }
}

/// Plays a stream live, and then out of the log, when the table is well again: at once, or when the function has given up,
/// which then has not asked for so long.
async fn store_fails(
    stage: &Stage,
    architecture: Architecture,
    seed: u64,
    store: Vec<At<CallFault>>,
    given_up_after: Option<Duration>,
) -> Vec<Breach> {
    let mut rng = Rng::with_seed(seed);
    // Long enough to be written in many parts.
    let model = Script {
        tokens: Some((0..40 + middle(&mut rng)).map(|at| format!("{at}-{} ", rng.u16(..))).collect()),
        between_tokens: Duration::from_millis(50),
        ..script(&mut rng)
    };
    let stream_id = Stage::stream_id(seed);
    let plan = Plan { model: Some(model), store, ..Plan::default() };
    let scenario = Scenario::new(architecture, plan, Expect::Done).also(one_call);
    let planned = stage.cloud.faults.plan(&stream_id, scenario.plan.clone());
    let (live, mut found) = stage.judge_planned(&scenario, &stream_id, &planned).await;
    found.extend(Breach::unless(
        live.lag.is_some_and(|lag| lag < LAG),
        format!("a token was {:?} late while the table failed", live.lag),
    ));
    if let Some(silence) = given_up_after {
        let mut stored = 0;
        while stored != planned.stored() {
            stored = planned.stored();
            tokio::time::sleep(silence).await;
        }
    }
    stage.cloud.faults.forget(&stream_id);
    let via = any(&mut rng);
    let patience = Duration::from_secs(25);
    let trace = probe::resume(&stage.settings, via, stage.token(), &stream_id, None, patience, |_| {}).await;
    let heard = Heard::of(via, &trace);
    let expected = match given_up_after {
        None => End::Done,
        Some(_) => End::Error("interrupted".to_owned()),
    };
    if heard.end != expected {
        found.push(Breach::expected(format!("out of the log it was {:?} over {via}", heard.end)));
    }
    if !live.heard.text.starts_with(&heard.text) {
        found.push(Breach::new(Invariant::Prefix, "the log's text is not the beginning of the live one"));
    }
    if heard.end == End::Done && heard.text != live.heard.text {
        found.push(Breach::new(Invariant::Prefix, "the log's text is called complete and is not"));
    }
    found
}
