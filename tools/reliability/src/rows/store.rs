//! The log's table, when it fails.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use local_cloud::{
    bedrock::Script,
    faults::{At, CallFault, Plan},
};
use probe::Architecture;

use super::{ALL, APPSYNC, Play, Row, log::one_call};
use crate::{
    check::{Breach, Invariant},
    history::{End, Heard, History},
    scenario::{Expect, Scenario, any, middle, script},
    stage::{Kind, Stage},
};

pub(super) const ROWS: &[Row] = &[
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
    Row::new(42, "the same, where there are no caps", "the same", ALL, |architecture, rng| {
        let store = vec![At::once(0, lost_answer(rng))];
        let plan = Plan { model: Some(script(rng)), store, ..Plan::default() };
        Scenario::new(architecture, plan, Expect::Done).also(one_call)
    })
    .on(Kind::Patient)
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
            // The store tries three times.
            let store = vec![At::times(1, rng.usize(3..6), store_fault(rng))];
            let plan = Plan { model: Some(script(rng)), store, ..Plan::default() };
            Scenario::new(architecture, plan, Expect::Done).also(one_call)
        },
    )
    .logged(),
];

/// Nothing of the log may hold up a stream; a busy machine may.
const LAG: Duration = Duration::from_millis(1500);

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
