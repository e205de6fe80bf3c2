//! A local cloud, and how a scenario is played on it.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use fastrand::Rng;
use local_cloud::{
    bedrock::{ModelCall, Script, Source},
    cloud::{Cloud, Options, test_user},
    cognito::User,
    faults::{Plan, Planned},
    lambda::OnDisconnect,
    wiring::QUEUE,
};
use probe::{Architecture, Outcome, Request, Settings};

use crate::{
    check::{self, Breach},
    history::{End, History},
    scenario::{ANSWER_CANARY, Expect, Scenario},
};

/// In every prompt; it must be in no log.
pub const PROMPT_CANARY: &str = "canary-of-the-prompt";

/// How long a stream's last effects may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

pub struct Stage {
    pub kind: Kind,
    /// Whether there is a stream log.
    pub is_logged: bool,
    pub cloud: Cloud,
    pub settings: Settings,
    /// Of the user whom everything belongs to that needs no other, and of a stranger.
    tokens: [String; 2],
    /// How many users have been used.
    users: AtomicUsize,
}

/// What a cloud differs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Behaves as AWS does, as far as is known.
    Usual,
    /// Tells a function when its Function URL's client has gone, which AWS does not; and no answer goes on without one.
    Signal,
    /// Tells it as well, and answers go on; and nobody counts what a user has.
    Patient,
    /// Tells it as well, and answers go on for a second.
    Brief,
    /// Functions give up on a silent model after 2 s, and have 8 s in all.
    Hurried,
    /// Hands up to ten prompts to one invocation.
    Batches,
    /// Allows longer answers, and more environments.
    Crowded,
    /// Allows each user so many answers at once and so many tokens; functions have 20 s in all.
    Capped,
}

/// Those who can sign in to each cloud: two for everything, and one for each run that needs an account of its own.
const USERS: usize = 4000;

/// What [`Kind::Capped`] allows.
pub const MAX_STREAMS: usize = 3;
pub const MAX_TOKENS: u64 = 3000;

const BRIEF_SECONDS: u64 = 1;

impl Stage {
    pub async fn open(kind: Kind, is_logged: bool) -> anyhow::Result<Self> {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let bootstraps = match std::env::var_os("BOOTSTRAPS") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::var_os("CARGO_TARGET_DIR")
                .map_or_else(|| repository.join("target"), PathBuf::from)
                .join("release"),
        };
        let environment = kind.environment().into_iter().map(|(name, value)| (name.to_owned(), value));
        let cloud = Cloud::start(Options {
            base_port: None,
            bootstraps,
            repository,
            source: Source::BuiltIn,
            users: (0..USERS).map(user).collect(),
            log_dir: None,
            environment: environment.collect(),
            stream_timeout: match kind {
                Kind::Hurried => Some(Duration::from_secs(8)),
                Kind::Capped => Some(Duration::from_secs(20)),
                Kind::Usual | Kind::Signal | Kind::Patient | Kind::Brief | Kind::Batches | Kind::Crowded => {
                    None
                }
            },
            on_disconnect: match kind {
                Kind::Signal | Kind::Patient | Kind::Brief => OnDisconnect::Signal,
                Kind::Usual | Kind::Hurried | Kind::Batches | Kind::Crowded | Kind::Capped => {
                    OnDisconnect::Drain
                }
            },
            maximum_concurrency: if kind == Kind::Crowded { 100 } else { QUEUE.maximum_concurrency },
            batch_size: if kind == Kind::Batches { 10 } else { 1 },
            stream_log: is_logged,
            control: false,
        })
        .await?;
        let settings = Settings::from_sources(&cloud.frontend_dotenv(), |_| None);
        let tokens = [sign_in(&settings, 0).await?, sign_in(&settings, 1).await?];
        let stage = Self { kind, is_logged, cloud, settings, tokens, users: AtomicUsize::new(2) };
        stage.warm_up().await?;
        Ok(stage)
    }

    /// A user's first claim takes a call more than the others, which nobody should have to count.
    async fn warm_up(&self) -> anyhow::Result<()> {
        let request = Request::prompt(PROMPT_CANARY);
        let model = Script { tokens: Some(vec![ANSWER_CANARY.to_owned()]), ..Script::default() };
        let plan = Plan { model: Some(model), ..Plan::default() };
        let _planned = self.cloud.faults.plan(PROMPT_CANARY, plan);
        let trace =
            probe::stream(&self.settings, Architecture::FunctionUrl, self.token(), &request, |_| {}).await;
        self.cloud.faults.forget(PROMPT_CANARY);
        match trace.outcome() {
            Outcome::Done { .. } => Ok(()),
            other => anyhow::bail!("the first stream of all was {other:?}"),
        }
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
        let judged = self.judge_planned(scenario, &stream_id, &planned).await;
        self.cloud.faults.forget(&stream_id);
        judged
    }

    /// The same; the plan is in force, and stays.
    pub(crate) async fn judge_planned(
        &self,
        scenario: &Scenario,
        stream_id: &str,
        planned: &Planned,
    ) -> (History, Vec<Breach>) {
        let history = Box::pin(self.play(scenario, stream_id, planned)).await;
        let mut breaches = check::breaches(&history);
        breaches.extend(unexpected(&scenario.expect, &history.heard.end));
        if scenario.must_meet() && history.met.is_none() {
            breaches.push(Breach::expected("the fault never happened"));
        }
        if let Some(also) = scenario.also {
            breaches.extend(also(&history, planned.calls()));
        }
        (history, breaches)
    }

    pub(crate) async fn until(&self, condition: impl Fn() -> bool) {
        while !condition() {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// The model's calls for a stream; quickly, while there is a plan for it.
    pub(crate) fn calls_of(&self, stream_id: &str) -> Vec<ModelCall> {
        match self.cloud.faults.planned(stream_id) {
            Some(planned) => planned.model_calls(),
            None => self.cloud.bedrock.calls_of(stream_id),
        }
    }

    pub(crate) async fn until_the_model_is_asked(&self, stream_id: &str) {
        self.until(|| !self.calls_of(stream_id).is_empty()).await;
    }

    pub(crate) async fn until_the_model_closes(&self, stream_id: &str) {
        self.until_the_model_is_asked(stream_id).await;
        self.until(|| self.calls_of(stream_id).iter().all(|call| call.closed.is_some())).await;
    }

    /// The calls of the model, when all are closed and, if that is to be waited for, nothing is left in the queue; as
    /// they are, if that takes too long.
    pub(crate) async fn settled(&self, stream_id: &str, is_queue_emptied: bool) -> Vec<ModelCall> {
        let calls = || self.calls_of(stream_id);
        let is_queued = || {
            let queued = self.cloud.queues.messages(QUEUE.name);
            queued.iter().any(|message| message.contains(stream_id))
        };
        let settling = self
            .until(|| calls().iter().all(|call| call.closed.is_some()) && !(is_queue_emptied && is_queued()));
        drop(tokio::time::timeout(SETTLED_WITHIN, settling).await);
        calls()
    }

    pub fn token(&self) -> &str {
        &self.tokens[0]
    }

    pub(crate) fn strangers_token(&self) -> &str {
        &self.tokens[1]
    }

    /// Of a user who has never asked for anything.
    pub(crate) async fn new_users_token(&self) -> anyhow::Result<String> {
        sign_in(&self.settings, self.users.fetch_add(1, Ordering::Relaxed)).await
    }

    /// Whether a function learns that its Function URL's client has gone.
    pub(crate) fn signals(&self) -> bool {
        match self.kind {
            Kind::Signal | Kind::Patient | Kind::Brief => true,
            Kind::Usual | Kind::Hurried | Kind::Batches | Kind::Crowded | Kind::Capped => false,
        }
    }

    /// How long an answer goes on whose client has gone; `None`: longer than anybody waits here.
    pub(crate) fn abandons_after(&self) -> Option<Duration> {
        match self.kind {
            _ if !self.is_logged => Some(Duration::ZERO),
            Kind::Signal => Some(Duration::ZERO),
            Kind::Brief => Some(Duration::from_secs(BRIEF_SECONDS)),
            Kind::Usual | Kind::Patient | Kind::Hurried | Kind::Batches | Kind::Crowded | Kind::Capped => {
                None
            }
        }
    }
}

impl Kind {
    fn environment(self) -> Vec<(&'static str, String)> {
        // Everything belongs to one user, and much of it happens at once.
        let streams = ("MAX_STREAMS_PER_USER", "100000".to_owned());
        let tokens = ("MAX_OUTPUT_TOKENS_PER_USER_PER_DAY", "1000000000".to_owned());
        let abandon = |seconds: u64| ("ABANDON_AFTER_SECONDS", seconds.to_string());
        match self {
            Self::Usual | Self::Batches => vec![streams, tokens],
            Self::Patient => vec![(streams.0, String::new()), (tokens.0, String::new())],
            Self::Signal => vec![streams, tokens, abandon(0)],
            Self::Brief => vec![streams, tokens, abandon(BRIEF_SECONDS)],
            Self::Crowded => vec![streams, tokens, ("MAX_OUTPUT_TOKENS", "10000".to_owned())],
            Self::Hurried => {
                let two = || "2".to_owned();
                let waits =
                    [("FIRST_TOKEN_TIMEOUT_SECONDS", two()), ("BETWEEN_TOKENS_TIMEOUT_SECONDS", two())];
                [streams, tokens].into_iter().chain(waits).collect()
            }
            Self::Capped => vec![
                ("MAX_STREAMS_PER_USER", MAX_STREAMS.to_string()),
                ("MAX_OUTPUT_TOKENS_PER_USER_PER_DAY", MAX_TOKENS.to_string()),
            ],
        }
    }
}

async fn sign_in(settings: &Settings, number: usize) -> anyhow::Result<String> {
    let User { username, password, .. } = user(number);
    let tokens = probe::sign_in(settings, &username, &password).await;
    Ok(tokens.with_context(|| format!("signing in as {username}"))?.access)
}

fn user(number: usize) -> User {
    let first = test_user();
    User {
        username: format!("{}{number}", first.username),
        email: format!("{number}.{}", first.email),
        sub: sub(number),
        ..first
    }
}

/// What a user is called in tokens and in the log.
pub(crate) fn sub(user: usize) -> String {
    format!("7e57a5e2-0000-4000-8000-{user:012}")
}

fn unexpected(expect: &Expect, end: &End) -> Option<Breach> {
    let met = match (expect, end) {
        (Expect::Any, _)
        | (Expect::Done, End::Done)
        | (Expect::Stopped, End::Stopped)
        | (Expect::Noticed, End::Failed(_))
        | (Expect::Left, End::Left) => true,
        (Expect::Error(codes), End::Error(code)) => codes.contains(&code.as_str()),
        (Expect::Done | Expect::Stopped | Expect::Error(_) | Expect::Noticed | Expect::Left, _) => false,
    };
    (!met).then(|| Breach::expected(format!("expected {expect:?}, and it was {end:?}")))
}
