//! A local cloud with one contestant in it, and what is asked of it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use local_cloud::{
    bedrock::{ModelCall, Script, Source},
    cloud::{Cloud, Options, test_user},
    faults::{At, CallFault, Plan},
    lambda::OnDisconnect,
    wiring,
};
use probe::{Architecture, Outcome, Request, Settings, Trace};
use reliability::history::lags;

use crate::{
    contestant::{Contestant, Places, Side},
    cost::{Metered, Operations},
    process::{self, Usage},
    summary::{ms, quantile, sorted},
};

/// The longest answer that is asked for.
pub const MOST_TOKENS: usize = 10_000;

/// How many environments of a function may run at once.
pub const MOST_STREAMS: usize = 100;

const PATIENCE: Duration = Duration::from_mins(1);

/// How long a function may still have to do when its stream has ended.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(2);

pub struct Stage {
    pub contestant: Contestant,
    pub cloud: Cloud,
    settings: Settings,
    token: String,
}

/// What is different about a stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting {
    /// `FLUSH_INTERVAL_MS`, instead of the function's default.
    pub flush_ms: Option<u64>,
    /// How long a post and a publication take, instead of the fraction of a millisecond over loopback.
    pub send_ms: Option<u64>,
}

/// How the model speaks.
#[derive(Debug, Clone, Copy)]
pub struct Speech {
    pub tokens: usize,
    pub between: Duration,
}

/// How an answer went.
#[derive(Debug, Clone)]
pub struct Answer {
    pub trace: Trace,
    /// From the request on an open connection to the first text at the client, less what the model took.
    pub added_first_token: Duration,
    /// Of each token, from its emission by the model to its arrival at the client.
    pub lags: Vec<Duration>,
    /// From the first arrival of text to the last.
    pub spoken_for: Duration,
    pub events: usize,
}

/// An answer alone, with what it took.
#[derive(Debug, Clone)]
pub struct Weighed {
    pub answer: Answer,
    pub cpu: Duration,
    /// When it was over.
    pub usage: Usage,
    pub operations: Operations,
}

impl Stage {
    pub async fn open(contestant: Contestant, setting: Setting, places: &Places) -> anyhow::Result<Self> {
        let uncapped = ["MAX_STREAMS_PER_USER", "MAX_OUTPUT_TOKENS_PER_USER_PER_DAY"];
        let mut environment: Vec<(String, String)> =
            uncapped.iter().map(|&name| (name.to_owned(), String::new())).collect();
        environment.push(("MAX_OUTPUT_TOKENS".to_owned(), MOST_TOKENS.to_string()));
        environment.extend(setting.flush_ms.map(|ms| ("FLUSH_INTERVAL_MS".to_owned(), ms.to_string())));
        let cloud = Cloud::start(Options {
            base_port: None,
            bootstraps: contestant.bootstraps(places)?,
            repository: places.repository.clone(),
            source: Source::BuiltIn,
            users: vec![test_user()],
            log_dir: None,
            environment,
            on_disconnect: OnDisconnect::Drain,
            stream_timeout: None,
            batch_size: 1,
            maximum_concurrency: MOST_STREAMS,
            stream_log: contestant.side == Side::Logged,
            control: false,
        })
        .await?;
        if let Some(ms) = setting.send_ms {
            let late = || vec![At::from(0, CallFault::Late(ms))];
            cloud.faults.plan("", Plan { posts: late(), publishes: late(), ..Plan::default() });
        }
        let settings = Settings::from_sources(&cloud.frontend_dotenv(), |_| None);
        let user = test_user();
        let tokens = probe::sign_in(&settings, &user.username, &user.password).await.context("signing in")?;
        Ok(Self { contestant, cloud, settings, token: tokens.access })
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// From now on the model speaks like this.
    pub fn say(&self, speech: Speech, first_token_after: Duration) {
        self.cloud.bedrock.script(Script {
            // Four characters a token, as models have it on average.
            tokens: Some((0..speech.tokens).map(|at| format!("{:>3} ", at % 1000)).collect()),
            first_token_after,
            between_tokens: speech.between,
            ..Script::default()
        });
    }

    /// One answer, which has to be whole.
    pub async fn ask(&self, speech: Speech) -> anyhow::Result<Answer> {
        // The prompt repeats the id, so that the model's call can be found by it.
        let request = Request::prompt("").with("max_tokens", speech.tokens);
        let prompt = request.stream_id.clone();
        let request = request.with("prompt", prompt);
        let architecture = self.contestant.architecture;
        let trace =
            probe::stream_within(&self.settings, architecture, &self.token, &request, PATIENCE, |_| {}).await;
        match trace.outcome() {
            Outcome::Done { .. } => {}
            Outcome::Error { code, message } => bail!("{code}: {message}"),
            Outcome::Failed(failure) => bail!("{failure}"),
        }
        let calls = self.cloud.bedrock.calls_of(&request.stream_id);
        let [call] = calls.as_slice() else { bail!("{} calls of the model", calls.len()) };
        Answer::of(trace, call, speech)
    }

    /// One answer, with nothing else under way.
    pub async fn weigh(&self, speech: Speech) -> anyhow::Result<Weighed> {
        let (before, metered) = (self.cpu()?, self.metered());
        let answer = self.ask(speech).await?;
        let metered = self.settled(metered).await?;
        let usage = self.usage()?;
        Ok(Weighed {
            cpu: usage.cpu.saturating_sub(before),
            usage,
            operations: Operations::of(self.contestant.architecture, &metered, &answer.trace),
            answer,
        })
    }

    /// Processor time of all environments of the function that answers.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let pids = self.cloud.lambda.environments(self.contestant.function());
        pids.into_iter().map(|pid| Ok(process::usage(pid)?.cpu)).sum()
    }

    /// What all environments of the function that answers use; of memory that of the largest.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let mut all = Usage::default();
        for pid in self.cloud.lambda.environments(self.contestant.function()) {
            let one = process::usage(pid)?;
            all.cpu += one.cpu;
            all.resident_mb = all.resident_mb.max(one.resident_mb);
            all.peak_mb = all.peak_mb.max(one.peak_mb);
        }
        Ok(all)
    }

    pub fn metered(&self) -> Metered {
        let Cloud { lambda, dynamodb, websocket_api, appsync, .. } = &self.cloud;
        let billed = wiring::FUNCTIONS.map(|function| lambda.billed(function.name));
        let stored = dynamodb.metered();
        Metered {
            lambda_requests: billed.iter().map(|billed| billed.requests).sum(),
            lambda_time: billed.iter().map(|billed| billed.duration).sum(),
            posts: websocket_api.posts(),
            publishes: appsync.publishes(),
            dynamodb_half_reads: stored.half_reads,
            dynamodb_writes: stored.writes,
        }
    }

    /// What has been metered since, when every function that an answer takes has ended.
    async fn settled(&self, before: Metered) -> anyhow::Result<Metered> {
        let invocations = match self.contestant.architecture {
            Architecture::FunctionUrl => 1,
            // The authorizer, $connect, stream and $disconnect.
            Architecture::WebsocketApi => 4,
            Architecture::Appsync => 2,
        };
        let began = Instant::now();
        loop {
            let metered = self.metered().since(before);
            if metered.lambda_requests >= invocations {
                return Ok(metered);
            }
            ensure!(began.elapsed() < SETTLED_WITHIN, "{} invocations have ended", metered.lambda_requests);
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    pub async fn close(self) {
        self.cloud.shutdown().await;
    }
}

impl Answer {
    fn of(trace: Trace, call: &ModelCall, speech: Speech) -> anyhow::Result<Self> {
        ensure!(call.tokens.len() == speech.tokens, "the model said {} tokens", call.tokens.len());
        let text: String = call.tokens.iter().map(|(_, token)| token.as_str()).collect();
        ensure!(trace.text() == text, "the text is not the model's");
        let (connected, first) =
            (trace.connected.context("a connection")?, trace.first_token().context("text")?);
        let waited = (trace.started + first).saturating_duration_since(connected);
        let model = call.tokens[0].0.saturating_duration_since(call.opened);
        Ok(Self {
            added_first_token: waited.saturating_sub(model),
            lags: lags(&trace, call),
            spoken_for: trace.last_token().context("text")?.saturating_sub(first),
            events: trace.received.len(),
            trace,
        })
    }

    pub fn lag_ms(&self, at: f64) -> f64 {
        quantile(&sorted(self.lags.iter().copied().map(ms)), at)
    }

    pub fn tokens_per_second(&self) -> f64 {
        // The first token is where the time begins.
        (self.lags.len() as f64 - 1.0).max(0.0) / self.spoken_for.as_secs_f64().max(1e-9)
    }
}
