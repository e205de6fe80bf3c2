//! The same request twice.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use local_cloud::{bedrock::Script, faults::Plan};
use probe::{Architecture, Outcome, Request, Trace};
use serde_json::json;

use super::{ALL, Play, Row};
use crate::{
    check::Breach,
    history::{Event, Heard},
    scenario::{any, script},
    stage::{PROMPT_CANARY, Stage},
};

pub(super) const ROWS: &[Row] = &[Row::playing(
    43,
    "the same request again while it is answered, another one, and the same when it has been",
    "`conflict`, `conflict`, and the same events out of the log; one call of the model",
    ALL,
    Play::Own(again),
)
.logged()];

const PATIENCE: Duration = Duration::from_secs(25);

fn again(stage: &Stage, architecture: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    ask_again(stage, architecture, seed).boxed_local()
}

async fn ask_again(stage: &Stage, architecture: Architecture, seed: u64) -> Vec<Breach> {
    let (stream_id, mut rng) = (Stage::stream_id(seed), Rng::with_seed(seed));
    let model = Script {
        tokens: Some((0..60).map(|at| format!("{at}-{} ", rng.u16(..))).collect()),
        between_tokens: Duration::from_millis(50),
        ..script(&mut rng)
    };
    let _planned = stage.cloud.faults.plan(&stream_id, Plan { model: Some(model), ..Plan::default() });
    let fields = || [("stream_id".to_owned(), json!(stream_id))].into_iter().collect();
    let request = Request::from_fields(fields()).with("prompt", format!("{PROMPT_CANARY} {stream_id}"));
    let other = Request::from_fields(fields()).with("prompt", format!("another {PROMPT_CANARY} {stream_id}"));
    let ask = async |request: &Request, via| {
        probe::stream_within(&stage.settings, via, stage.token(), request, PATIENCE, |_| {}).await
    };
    let via = any(&mut rng);
    let meddling = async {
        stage.until_the_model_is_asked(&stream_id).await;
        // Whoever subscribes hears the answer that is under way, and so cannot tell whose end it is: what the mutation
        // says comes first.
        (ask(&request, via).await, ask(&other, via).await)
    };
    let (first, (same, another)) = tokio::join!(ask(&request, architecture), meddling);
    let mut found = Vec::new();
    for (which, trace) in [("the same", same), ("another", another)] {
        let refused = matches!(trace.outcome(), Outcome::Error { code: "conflict", .. });
        found.extend(Breach::unless(refused, format!("{which} request led to {:?}", trace.outcome())));
    }
    // AppSync publishes nothing again: it acknowledges, and the answer is read out of the log.
    let repeated = match via {
        Architecture::FunctionUrl | Architecture::WebsocketApi => ask(&request, via).await,
        Architecture::Appsync => {
            probe::resume(&stage.settings, via, stage.token(), &stream_id, None, PATIENCE, |_| {}).await
        }
    };
    let numbered = |architecture, trace: &Trace| -> Vec<(Option<u64>, String, String)> {
        let events = Heard::of(architecture, trace).events.into_iter();
        let events = events.filter(|event: &Event| event.seq.is_some());
        events.map(|event| (event.seq, event.kind, event.text)).collect()
    };
    let same = numbered(architecture, &first) == numbered(via, &repeated);
    let whole = matches!(first.outcome(), Outcome::Done { .. }) && !first.text().is_empty();
    found.extend(Breach::unless(whole, format!("the first led to {:?}", first.outcome())));
    found.extend(Breach::unless(same, "what came out of the log are not the same events"));
    let calls = stage.settled(&stream_id, true).await.len();
    found.extend(Breach::unless(calls == 1, format!("{calls} calls of the model")));
    stage.cloud.faults.forget(&stream_id);
    found
}
