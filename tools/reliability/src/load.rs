//! Many streams at once, and for long: what is lost, how late it is, and what it costs in memory.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use local_cloud::bedrock::{Ending, Framing, ModelCall, Script};
use probe::{Architecture, Request, Trace};

use crate::{
    check,
    history::{Heard, History, lags},
    stage::Stage,
};

/// So many streams of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub architecture: Architecture,
    /// All of them begin at once, and another one when one has ended.
    pub at_once: usize,
    pub streams: usize,
    pub tokens: usize,
    pub between_tokens: Duration,
}

/// What came of it. Times are from the model's emission of a token to its arrival at the client.
#[derive(Debug, Default)]
pub struct Measured {
    pub streams: usize,
    pub breaches: Vec<String>,
    pub tokens: usize,
    pub elapsed: Duration,
    pub first_token: Vec<Duration>,
    pub lag: Vec<Duration>,
}

/// What the functions' environments hold, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    pub environments: usize,
    pub largest_kb: u64,
    pub most_files: usize,
}

impl Stage {
    /// Each stream is asked for and judged; the model answers all of them with the same script.
    pub async fn bear(&self, load: Load) -> Measured {
        let tokens = (0..load.tokens).map(|at| format!("{at} ")).collect();
        self.cloud.bedrock.script(Script {
            tokens: Some(tokens),
            first_token_after: Duration::from_millis(100),
            between_tokens: load.between_tokens,
            ending: Ending::default(),
            framing: Framing::Whole,
        });
        let began = Instant::now();
        let mut measured = Measured::default();
        let mut running =
            stream::iter((0..load.streams).map(|_| self.one(load))).buffer_unordered(load.at_once);
        while let Some((trace, call, breaches)) = running.next().await {
            measured.note(&trace, call.as_ref(), breaches);
        }
        measured.elapsed = began.elapsed();
        measured.lag.sort_unstable();
        measured.first_token.sort_unstable();
        measured
    }

    async fn one(&self, load: Load) -> (Trace, Option<ModelCall>, Vec<String>) {
        // The prompt carries the id, so that the model's call can be found by it.
        let request = Request::prompt("").with("max_tokens", load.tokens);
        let prompt = request.stream_id.clone();
        let request = request.with("prompt", prompt);
        let patience = Duration::from_mins(1);
        let Load { architecture, .. } = load;
        let trace =
            probe::stream_within(&self.settings, architecture, self.token(), &request, patience, |_| {})
                .await;
        let calls = self.settled(&request.stream_id, false).await;
        let history = History::new(&request.stream_id, &calls, None, Heard::of(architecture, &trace));
        let mut breaches: Vec<String> = check::breaches(&history).iter().map(ToString::to_string).collect();
        if let Some(failure) = &trace.failure {
            breaches.push(failure.clone());
        } else if trace.terminal().is_none_or(|end| end.event["type"] != "done") {
            breaches.push("not done".to_owned());
        }
        (trace, calls.into_iter().next(), breaches)
    }

    /// Of all functions.
    pub fn held(&self) -> BTreeMap<&'static str, Held> {
        let of = |name| {
            let pids = self.cloud.lambda.environments(name);
            let files = |pid: &u32| Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count());
            let held = Held {
                environments: pids.len(),
                largest_kb: self.peak_kb(name).unwrap_or_default(),
                most_files: pids.iter().filter_map(files).max().unwrap_or_default(),
            };
            (name, held)
        };
        local_cloud::wiring::FUNCTIONS.into_iter().map(|function| of(function.name)).collect()
    }
}

impl Measured {
    fn note(&mut self, trace: &Trace, call: Option<&ModelCall>, breaches: Vec<String>) {
        self.streams += 1;
        self.breaches.extend(breaches);
        self.first_token.extend(trace.first_token());
        let Some(call) = call else { return };
        self.tokens += call.tokens.len();
        self.lag.extend(lags(trace, call));
    }
}
