//! Answers that are stopped, and those who may.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use local_cloud::{
    bedrock::Script,
    faults::{Plan, QueueFault},
};
use probe::{Architecture, Outcome, ProbeError};

use super::{ALL, APPSYNC, Play, Row, Runs};
use crate::{
    check::Breach,
    history::{End, Heard, History},
    scenario::{Client, Expect, Scenario, When, another, any, early, endless, script},
    stage::Stage,
};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        39,
        "stopped in the middle",
        "model closed within 1 s (p99); the text so far, then `done`, `cancelled`",
        ALL,
        |architecture, rng| {
            let when = When::Deltas(1 + early(rng));
            stopping(architecture, endless(rng), when, architecture).also(one_call)
        },
    )
    .logged()
    .runs(Runs::FiveTimes),
    Row::new(39, "stopped over another of the three", "the same", ALL, |architecture, rng| {
        let via = another(rng, architecture);
        let when = When::Deltas(1 + early(rng));
        stopping(architecture, endless(rng), when, via).also(one_call)
    })
    .logged(),
    Row::new(
        39,
        "stopped before the first token of a slow model",
        "model closed within 1 s (p99); `start`, `done`",
        ALL,
        |architecture, rng| {
            let slow = Script { first_token_after: Duration::from_secs(20), ..script(rng) };
            stopping(architecture, slow, When::Asked, any(rng)).also(no_text)
        },
    )
    .logged(),
    Row::new(
        39,
        "stopped while the prompt waits in the queue",
        "no call of the model; `start`, `done`",
        APPSYNC,
        |architecture, rng| {
            let mut scenario = stopping(architecture, endless(rng), When::Queued, any(rng)).also(not_asked);
            scenario.plan.queue = Some(QueueFault::Late(rng.u64(2500..3500)));
            scenario
        },
    )
    .logged(),
    Row::playing(
        40,
        "a stranger stops or resumes an answer whose id is known",
        "`not_found`; the answer goes on",
        ALL,
        Play::Own(stranger),
    )
    .logged(),
    Row::playing(
        40,
        "without a stream log somebody stops or resumes an answer",
        "`not_found`; the answer goes on",
        ALL,
        Play::Own(stranger),
    )
    .unlogged(),
];

fn stopping(architecture: Architecture, model: Script, when: When, via: Architecture) -> Scenario {
    let plan = Plan { model: Some(model), ..Plan::default() };
    Scenario::new(architecture, plan, Expect::Stopped).client(Client::Stops { via, when })
}

/// What every answer looks like that was stopped.
fn cancelled(history: &History) -> Vec<Breach> {
    let mut found = Breach::unless(history.stopped.is_some(), "the stop was refused");
    let ends = history.heard.events.iter().filter(|event| event.is_terminal());
    found.extend(Breach::unless(
        ends.clone().all(|end| end.seq.is_some() && !end.has_usage),
        "the end has no number, or a usage that the model has not said",
    ));
    found
}

fn one_call(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let mut found = cancelled(history);
    let calls = history.model.len();
    found.extend(Breach::unless(calls == 1, format!("{calls} calls of the model")));
    found
}

fn no_text(history: &History, calls: [usize; 3]) -> Vec<Breach> {
    let mut found = one_call(history, calls);
    found.extend(only_start_and_done(history));
    found
}

fn not_asked(history: &History, _: [usize; 3]) -> Vec<Breach> {
    let mut found = cancelled(history);
    found.extend(Breach::unless(history.model.is_empty(), "the model was called"));
    found.extend(only_start_and_done(history));
    found
}

fn only_start_and_done(history: &History) -> Vec<Breach> {
    let kinds: Vec<_> = history.heard.events.iter().map(|event| event.kind.as_str()).collect();
    Breach::unless(kinds == ["start", "done"], format!("it was {kinds:?}"))
}

fn stranger(stage: &Stage, architecture: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    meddle(stage, architecture, seed).boxed_local()
}

async fn meddle(stage: &Stage, architecture: Architecture, seed: u64) -> Vec<Breach> {
    let (stream_id, mut rng) = (Stage::stream_id(seed), Rng::with_seed(seed));
    let model = Script {
        tokens: Some((0..40).map(|at| format!("{at}-{} ", rng.u16(..))).collect()),
        between_tokens: Duration::from_millis(40),
        ..script(&mut rng)
    };
    let plan = Plan { model: Some(model), ..Plan::default() };
    let scenario = Scenario::new(architecture, plan, Expect::Done);
    // Without a log it is nobody's stream.
    let token = if stage.is_logged { stage.strangers_token() } else { stage.token() };
    let meddling = async {
        stage.until_the_model_is_asked(&stream_id).await;
        let mut found = Vec::new();
        for via in Architecture::ALL {
            let stopped = probe::cancel(&stage.settings, via, token, &stream_id).await;
            let refused = matches!(&stopped, Err(ProbeError::Contract(error)) if error.code == "not_found");
            found.extend(Breach::unless(refused, format!("stopping over {via} led to {stopped:?}")));
            let patience = Duration::from_secs(10);
            let trace = probe::resume(&stage.settings, via, token, &stream_id, None, patience, |_| {}).await;
            let refused = matches!(trace.outcome(), Outcome::Error { code: "not_found", .. });
            let silent = Heard::of(via, &trace).text.is_empty() && End::of(&trace) != End::Done;
            found.extend(Breach::unless(
                refused && silent,
                format!("resuming over {via} led to {:?}", End::of(&trace)),
            ));
        }
        found
    };
    let ((_, mut found), meddled) = tokio::join!(stage.judge(&scenario, seed), meddling);
    found.extend(meddled);
    found
}
