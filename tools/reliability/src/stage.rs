//! A local cloud, and how a scenario is played on it.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use fastrand::Rng;
use futures_util::{FutureExt as _, pin_mut, select};
use local_cloud::{
    bedrock::{ModelCall, Source},
    cloud::{Cloud, Options, test_user},
    faults::Planned,
    lambda::OnDisconnect,
    wiring::QUEUE,
};
use probe::{Architecture, Outcome, Request, Settings, Trace};
use serde_json::json;

use crate::{
    check::{self, Breach},
    history::{End, Event, History},
    scenario::{Client, Expect, Scenario},
};

/// In every prompt; it must be in no log.
pub const PROMPT_CANARY: &str = "canary-of-the-prompt";

/// How long a stream's last effects may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);
/// How long after the model's end the stream's may come, where it does come.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(3);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

pub struct Stage {
    pub kind: Kind,
    pub cloud: Cloud,
    pub settings: Settings,
    pub token: String,
}

/// What a cloud differs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Behaves as AWS does, as far as is known.
    Usual,
    /// Tells a function when its Function URL's client has gone. AWS does not.
    Signal,
    /// Functions give up on a silent model after 2 s, and have 8 s in all.
    Hurried,
    /// Hands up to ten prompts to one invocation.
    Batches,
    /// Allows longer answers, and more environments.
    Crowded,
}

impl Stage {
    pub async fn open(kind: Kind) -> anyhow::Result<Self> {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.join("target"), PathBuf::from);
        let hurried = [("FIRST_TOKEN_TIMEOUT_SECONDS", "2"), ("BETWEEN_TOKENS_TIMEOUT_SECONDS", "2")];
        let environment = match kind {
            Kind::Usual | Kind::Signal | Kind::Batches => Vec::new(),
            Kind::Crowded => vec![("MAX_OUTPUT_TOKENS".to_owned(), "10000".to_owned())],
            Kind::Hurried => hurried.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        };
        let cloud = Cloud::start(Options {
            base_port: None,
            bootstraps: target.join("release"),
            repository,
            source: Source::BuiltIn,
            users: vec![test_user()],
            log_dir: None,
            environment,
            stream_timeout: (kind == Kind::Hurried).then_some(Duration::from_secs(8)),
            on_disconnect: if kind == Kind::Signal { OnDisconnect::Signal } else { OnDisconnect::Drain },
            maximum_concurrency: if kind == Kind::Crowded { 100 } else { QUEUE.maximum_concurrency },
            batch_size: if kind == Kind::Batches { 10 } else { 1 },
            stream_log: true,
            control: false,
        })
        .await?;
        let settings = Settings::from_sources(&cloud.frontend_dotenv(), |_| None);
        let user = test_user();
        let tokens = probe::sign_in(&settings, &user.username, &user.password).await.context("signing in")?;
        Ok(Self { kind, cloud, settings, token: tokens.access })
    }

    /// The id of the stream that a seed stands for.
    pub fn stream_id(seed: u64) -> String {
        uuid::Builder::from_random_bytes(Rng::with_seed(seed).u128(..).to_ne_bytes()).into_uuid().to_string()
    }

    /// The most memory that a live environment of the function has had, in kB.
    pub fn peak_kb(&self, function: &str) -> Option<u64> {
        let peak = |pid: u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            peak.trim().strip_suffix(" kB")?.trim().parse().ok()
        };
        self.cloud.lambda.environments(function).into_iter().filter_map(peak).max()
    }

    /// Plays one scenario and judges it.
    pub async fn judge(&self, scenario: &Scenario, seed: u64) -> (History, Vec<Breach>) {
        let stream_id = Self::stream_id(seed);
        let planned = self.cloud.faults.plan(&stream_id, scenario.plan.clone());
        let history = self.play(scenario, &stream_id, &planned).await;
        let mut breaches = check::breaches(&history);
        breaches.extend(unexpected(&scenario.expect, &history.end));
        if scenario.must_meet() && history.met.is_none() {
            breaches.push(Breach::expected("the fault never happened"));
        }
        if let Some(also) = scenario.also {
            breaches.extend(also(&history, planned.calls()));
        }
        self.cloud.faults.forget(&stream_id);
        (history, breaches)
    }

    async fn play(&self, scenario: &Scenario, stream_id: &str, planned: &Planned) -> History {
        let fields = [("stream_id".to_owned(), json!(stream_id))].into_iter().collect();
        let request = Request::from_fields(fields).with("prompt", format!("{PROMPT_CANARY} {stream_id}"));
        let (trace, seen, left) = match scenario.client {
            Client::Stays => (Some(self.ask(scenario, &request, |_| {}).await), Vec::new(), None),
            Client::AsksAgain => {
                let first = self.ask(scenario, &request, |_| {}).await;
                let again = matches!(first.outcome(), Outcome::Error { .. });
                let trace = if again { self.ask(scenario, &request, |_| {}).await } else { first };
                (Some(trace), Vec::new(), None)
            }
            Client::Leaves { .. } | Client::UntilModelCloses | Client::UntilRefused => {
                self.leave(scenario, &request, planned).await
            }
        };
        let calls = self.settled(stream_id).await;
        History::new(scenario.architecture, stream_id, &calls, Some(planned), trace.as_ref(), seen, left)
    }

    /// Closes the connection when the client of the scenario does, and says since when that can be known.
    async fn leave(
        &self,
        scenario: &Scenario,
        request: &Request,
        planned: &Planned,
    ) -> (Option<Trace>, Vec<Event>, Option<Instant>) {
        let mut seen = Vec::new();
        let (enough, had_enough) = tokio::sync::oneshot::channel();
        let mut enough = Some(enough);
        let trace = {
            let watch = |received: &probe::Received| {
                seen.push(Event::of(&received.event, received.bytes));
                let deltas = seen.iter().filter(|event| event.kind == "delta").count();
                if matches!(scenario.client, Client::Leaves { after } if deltas >= after) {
                    enough.take().map(|enough| enough.send(()));
                }
            };
            let streaming = self.ask(scenario, request, watch).fuse();
            let leaving = async {
                if matches!(scenario.client, Client::UntilModelCloses | Client::UntilRefused) {
                    self.until_the_model_closes(&request.stream_id).await;
                    tokio::time::sleep(LAST_WORDS_WITHIN).await;
                } else if had_enough.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let leaving = leaving.fuse();
            pin_mut!(streaming, leaving);
            select! {
                trace = streaming => Some(trace),
                () = leaving => None,
            }
        };
        let left = trace.is_none().then(Instant::now);
        let gone = match (scenario.client, scenario.architecture) {
            // Lambda does not tell a function that its client has gone, and AppSync tells nobody.
            (_, Architecture::Appsync) => None,
            (_, Architecture::FunctionUrl) if self.kind != Kind::Signal => None,
            (Client::UntilRefused, _) => planned.first_met(),
            (Client::UntilModelCloses, _) => None,
            (Client::Leaves { .. } | Client::Stays | Client::AsksAgain, _) => left,
        };
        (trace, seen, gone)
    }

    async fn ask(
        &self,
        scenario: &Scenario,
        request: &Request,
        watch: impl FnMut(&probe::Received),
    ) -> Trace {
        let Scenario { architecture, patience, .. } = scenario;
        probe::stream_within(&self.settings, *architecture, &self.token, request, *patience, watch).await
    }

    async fn until_the_model_closes(&self, stream_id: &str) {
        loop {
            let calls = self.cloud.bedrock.calls_of(stream_id);
            if !calls.is_empty() && calls.iter().all(|call| call.closed.is_some()) {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// The calls of the model, when all are closed; as they are, if that takes too long.
    pub(crate) async fn settled(&self, stream_id: &str) -> Vec<ModelCall> {
        let deadline = Instant::now() + SETTLED_WITHIN;
        loop {
            let calls = self.cloud.bedrock.calls_of(stream_id);
            if calls.iter().all(|call| call.closed.is_some()) || Instant::now() > deadline {
                return calls;
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }
}

fn unexpected(expect: &Expect, end: &End) -> Option<Breach> {
    let met = match (expect, end) {
        (Expect::Any, _)
        | (Expect::Done, End::Done)
        | (Expect::Noticed, End::Failed(_))
        | (Expect::Left, End::Left) => true,
        (Expect::Error(codes), End::Error(code)) => codes.contains(&code.as_str()),
        (Expect::Done | Expect::Error(_) | Expect::Noticed | Expect::Left, _) => false,
    };
    (!met).then(|| Breach::expected(format!("expected {expect:?}, and it was {end:?}")))
}
