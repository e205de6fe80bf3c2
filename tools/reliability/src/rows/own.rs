//! What needs more than one stream, or another reader than `probe`.

use std::time::{Duration, Instant};

use futures_util::future::{FutureExt as _, LocalBoxFuture, join_all};
use local_cloud::{
    bedrock::{Ending, Framing, Script},
    faults::Plan,
    wiring::QUEUE,
};
use probe::{
    Architecture,
    sse::{Frame, Parser},
};
use serde_json::Value;

use crate::{
    check::Breach,
    scenario::{Expect, Scenario, script},
    stage::Stage,
};

/// 8 MB, most of which nobody has read when the model would have sent all of it.
const SLOW_TOKENS: usize = 1000;
const TOKEN_BYTES: usize = 8 * 1024;
/// Buffers of the function beyond its usual 8 MB.
const MEMORY_KB: u64 = 16 * 1024;

/// A reader that takes a portion now and then: what it has not taken stays where it is, and is not lost.
pub(super) fn slow_reader(stage: &Stage, _: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    read_slowly(stage, seed)
        .map(|problem| problem.err().into_iter().map(Breach::expected).collect())
        .boxed_local()
}

async fn read_slowly(stage: &Stage, seed: u64) -> Result<(), String> {
    let stream_id = Stage::stream_id(seed);
    let tokens = (0..SLOW_TOKENS).map(|at| format!("{at:0TOKEN_BYTES$}")).collect();
    let model = Script {
        tokens: Some(tokens),
        first_token_after: Duration::ZERO,
        between_tokens: Duration::ZERO,
        ending: Ending::default(),
        framing: Framing::Whole,
    };
    stage.cloud.faults.plan(&stream_id, Plan { model: Some(model), ..Plan::default() });
    let authorization = format!("Bearer {}", stage.token());
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = format!(r#"{{"prompt":"{stream_id}","stream_id":"{stream_id}"}}"#);
    let sent = probe::function_url::send(&stage.settings, &headers, body).await;
    let mut response = sent.map_err(|error| error.to_string())?;

    let (mut parser, mut expected, mut ended) = (Parser::default(), 0, false);
    let began = Instant::now();
    while let Some(portion) = response.chunk().await.map_err(|error| error.to_string())? {
        if began.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for frame in parser.push(&portion).map_err(|error| error.to_string())? {
            let Frame::Event { data, .. } = frame else { continue };
            let event: Value = serde_json::from_str(&data).map_err(|error| error.to_string())?;
            // Tokens may share a delta, but each is as long as the others and says its place.
            let text = event["text"].as_str().unwrap_or_default();
            for token in text.as_bytes().chunks(TOKEN_BYTES) {
                let place = std::str::from_utf8(token).ok().and_then(|digits| digits.parse().ok());
                if place != Some(expected) {
                    return Err(format!("token {expected} is missing or not whole"));
                }
                expected += 1;
            }
            ended |= event["type"] == "done";
        }
    }
    stage.cloud.faults.forget(&stream_id);
    let peak = stage.peak_kb("function-url").unwrap_or_default();
    match (expected, ended) {
        (SLOW_TOKENS, true) if peak <= MEMORY_KB => Ok(()),
        (SLOW_TOKENS, true) => Err(format!("the function had {peak} kB")),
        (count, _) => Err(format!("{count} of {SLOW_TOKENS} tokens, done: {ended}")),
    }
}

/// Three messages that can never be answered, among seven that can.
pub(super) fn poison(stage: &Stage, _: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    batch(stage, seed).boxed_local()
}

async fn batch(stage: &Stage, seed: u64) -> Vec<Breach> {
    let poison: Vec<String> = (0..3).map(|at| format!("poison {seed}-{at}")).collect();
    for body in &poison {
        stage.cloud.queues.send(QUEUE.name, body.clone());
    }
    let good = (0..7).map(|at| async move {
        let seed = seed ^ (at + 1) << 48;
        let model = Some(script(&mut fastrand::Rng::with_seed(seed)));
        let scenario = Scenario::new(Architecture::Appsync, Plan { model, ..Plan::default() }, Expect::Done);
        stage.judge(&scenario, seed).await.1
    });
    let mut found: Vec<Breach> = join_all(good).await.into_iter().flatten().collect();
    let deadline = Instant::now() + Duration::from_mins(2);
    let buried = || {
        let dead = stage.cloud.queues.messages(QUEUE.dead_letter_queue);
        poison.iter().map(|body| dead.iter().filter(|other| *other == body).count()).collect::<Vec<_>>()
    };
    while buried().contains(&0) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if buried() != [1, 1, 1] {
        found.push(Breach::expected(format!("the poison is in the dead-letter queue {:?} times", buried())));
    }
    if poison.iter().any(|body| !stage.cloud.bedrock.calls_of(body).is_empty()) {
        found.push(Breach::expected("the model was asked for poison"));
    }
    found
}
