//! What one user may have.

use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::{FutureExt as _, LocalBoxFuture, join_all};
use local_cloud::{
    bedrock::{Ending, Script},
    faults::Plan,
};
use probe::{Architecture, Outcome, Request, Trace};
use serde_json::json;

use super::{ALL, Play, Row};
use crate::{
    check::Breach,
    scenario::{any, script},
    stage::{Kind, MAX_STREAMS, MAX_TOKENS, PROMPT_CANARY, Stage},
};

pub(super) const ROWS: &[Row] = &[
    Row::playing(
        41,
        "one answer at once more than is allowed",
        "`error: rate_limited` with `retry_after`, no call of the model; its place is free when one ends, fails or is stopped",
        ALL,
        Play::Own(one_too_many),
    )
    .on(Kind::Capped)
    .logged(),
    Row::playing(
        41,
        "the same, and whoever makes one of them is killed",
        "its place is free when its time would have been up",
        ALL,
        Play::Own(one_killed),
    )
    .on(Kind::Capped)
    .logged()
    .slow(),
    Row::playing(
        41,
        "more output tokens in a day than are allowed",
        "`error: rate_limited` until midnight; what was reserved and not used is given back",
        ALL,
        Play::Own(too_many_tokens),
    )
    .on(Kind::Capped)
    .logged(),
];

const PATIENCE: Duration = Duration::from_secs(25);

/// An answer's place is given back beside its end, not before it.
const FREE_WITHIN: Duration = Duration::from_secs(3);

/// The function's 20 s, the lease's 15 s, and some for a busy machine.
const FREE_AFTER_A_KILL: Duration = Duration::from_secs(45);

/// One user's streams.
struct Account<'s> {
    stage: &'s Stage,
    token: String,
    seed: u64,
    attempt: u64,
}

/// How the first of the answers ends.
#[derive(Debug, Clone, Copy)]
enum Way {
    Done,
    Fails,
    Stopped,
    Killed,
}

fn one_too_many(stage: &Stage, architecture: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    let way = *Rng::with_seed(seed).choice(&[Way::Done, Way::Fails, Way::Stopped]).expect("three");
    fill_up(stage, architecture, seed, way).boxed_local()
}

fn one_killed(stage: &Stage, architecture: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    fill_up(stage, architecture, seed, Way::Killed).boxed_local()
}

fn too_many_tokens(stage: &Stage, architecture: Architecture, seed: u64) -> LocalBoxFuture<'_, Vec<Breach>> {
    spend(stage, architecture, seed).boxed_local()
}

/// On a busy machine one answer may have ended when the last one begins: then it is tried again.
const TRIES: u64 = 5;

async fn fill_up(stage: &Stage, architecture: Architecture, seed: u64, way: Way) -> Vec<Breach> {
    for attempt in 0..TRIES {
        let account = match Account::new(stage, seed, attempt).await {
            Ok(account) => account,
            Err(error) => return vec![Breach::expected(format!("{error:#}"))],
        };
        if let Some(found) = Box::pin(filled(&account, architecture, way)).await {
            return found;
        }
    }
    vec![Breach::expected("the answers that are allowed never ran at one time")]
}

/// `None`: it was never full.
async fn filled(account: &Account<'_>, architecture: Architecture, way: Way) -> Option<Vec<Breach>> {
    let (stage, mut rng) = (account.stage, account.rng());
    // A prompt's place may be needed for as long as it may wait in the queue: too long for this.
    let first = match way {
        Way::Killed => *rng.choice(&[Architecture::FunctionUrl, Architecture::WebsocketApi]).expect("two"),
        Way::Done | Way::Fails | Way::Stopped => any(&mut rng),
    };
    // Of the 20 s that a function has.
    let long = Script {
        tokens: Some((0..300).map(|at| format!("{at} ")).collect()),
        between_tokens: Duration::from_millis(50),
        ..script(&mut rng)
    };
    let half = 60;
    let plan = |model| Plan { model: Some(model), ..Plan::default() };
    let of_first = match way {
        Way::Done => {
            plan(Script { tokens: Some((0..half).map(|at| format!("{at} ")).collect()), ..long.clone() })
        }
        Way::Fails => plan(Script { ending: Ending::Truncated { after: half }, ..long.clone() }),
        Way::Stopped => plan(long.clone()),
        Way::Killed => Plan { kill_after_tokens: Some(half), ..plan(long.clone()) },
    };
    let others = (1..MAX_STREAMS as u64).map(|number| {
        let via = Architecture::ALL[usize::try_from(number).unwrap_or_default() % 3];
        account.ask(number, via, 300, plan(long.clone()))
    });
    let running = async { tokio::join!(account.ask(0, first, 300, of_first), join_all(others)) };
    let trying = async {
        account.until_asked(MAX_STREAMS as u64).await?;
        let refused = account.ask(10, architecture, 300, plan(script(&mut account.rng()))).await;
        if !account.is_full() {
            return None;
        }
        let mut found = account.is_rate_limited(10, &refused, 1..=60);
        if let Way::Stopped = way
            && let Err(error) =
                probe::cancel(&stage.settings, architecture, &account.token, &account.id(0)).await
        {
            found.push(Breach::expected(format!("the stop was refused: {error}")));
        }
        stage.until_the_model_closes(&account.id(0)).await;
        let within = if let Way::Killed = way { FREE_AFTER_A_KILL } else { FREE_WITHIN };
        found.extend(account.has_room(300, architecture, within).await);
        Some(found)
    };
    let trying = async {
        let found = trying.await;
        for number in 0..MAX_STREAMS as u64 {
            // What has ended by itself is none the worse for it.
            let _ = probe::cancel(
                &stage.settings,
                Architecture::FunctionUrl,
                &account.token,
                &account.id(number),
            )
            .await;
        }
        found
    };
    tokio::join!(running, trying).1
}

async fn spend(stage: &Stage, architecture: Architecture, seed: u64) -> Vec<Breach> {
    for attempt in 0..TRIES {
        let account = match Account::new(stage, seed, attempt).await {
            Ok(account) => account,
            Err(error) => return vec![Breach::expected(format!("{error:#}"))],
        };
        if let Some(found) = Box::pin(spent(&account, architecture)).await {
            return found;
        }
    }
    vec![Breach::expected("the answers that are allowed never ran at one time")]
}

/// `None`: it was never so much at once.
async fn spent(account: &Account<'_>, architecture: Architecture) -> Option<Vec<Breach>> {
    let plan = |tokens: usize| {
        let model = Script {
            tokens: Some((0..tokens).map(|at| format!("{at} ")).collect()),
            between_tokens: Duration::from_millis(50),
            ..script(&mut account.rng())
        };
        Plan { model: Some(model), ..Plan::default() }
    };
    // Each may use so many that there is no room for a third, and uses 60.
    let max_tokens = u32::try_from(MAX_TOKENS / 3 + 1).unwrap_or(u32::MAX);
    let running = async {
        let one = account.ask(0, Architecture::FunctionUrl, max_tokens, plan(60));
        tokio::join!(one, account.ask(1, architecture, max_tokens, plan(60)))
    };
    let trying = async {
        account.until_asked(2).await?;
        let refused = account.ask(10, architecture, max_tokens, plan(5)).await;
        (0..2).all(|number| account.is_running(number)).then_some(refused)
    };
    let ((one, two), refused) = tokio::join!(running, trying);
    let mut found = account.is_rate_limited(10, &refused?, 1..=86_400);
    for trace in [one, two] {
        let done = matches!(trace.outcome(), Outcome::Done { .. });
        found.extend(Breach::unless(done, format!("what was allowed was {:?}", trace.outcome())));
    }
    found.extend(account.has_room(max_tokens, architecture, FREE_WITHIN).await);
    Some(found)
}

impl<'s> Account<'s> {
    async fn new(stage: &'s Stage, seed: u64, attempt: u64) -> anyhow::Result<Self> {
        Ok(Self { stage, token: stage.new_users_token().await?, seed, attempt })
    }

    fn id(&self, number: u64) -> String {
        Stage::stream_id(self.seed ^ (500 * self.attempt + number + 1) << 48)
    }

    fn rng(&self) -> Rng {
        Rng::with_seed(self.seed ^ self.attempt << 48)
    }

    /// For so many answers; `None` if that takes too long.
    async fn until_asked(&self, answers: u64) -> Option<()> {
        let all = async {
            for number in 0..answers {
                self.stage.until_the_model_is_asked(&self.id(number)).await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.ok()
    }

    fn is_running(&self, number: u64) -> bool {
        self.stage.calls_of(&self.id(number)).iter().any(|call| call.closed.is_none())
    }

    fn is_full(&self) -> bool {
        (0..MAX_STREAMS as u64).all(|number| self.is_running(number))
    }

    async fn ask(&self, number: u64, via: Architecture, max_tokens: u32, plan: Plan) -> Trace {
        let id = self.id(number);
        let _planned = self.stage.cloud.faults.plan(&id, plan);
        let fields = [("stream_id".to_owned(), json!(id))].into_iter().collect();
        let request = Request::from_fields(fields)
            .with("prompt", format!("{PROMPT_CANARY} {id}"))
            .with("max_tokens", max_tokens);
        let settings = &self.stage.settings;
        let trace = probe::stream_within(settings, via, &self.token, &request, PATIENCE, |_| {}).await;
        self.stage.cloud.faults.forget(&id);
        trace
    }

    /// Whether one more answer is allowed, now or soon.
    async fn has_room(&self, max_tokens: u32, via: Architecture, within: Duration) -> Vec<Breach> {
        let began = Instant::now();
        for number in 11.. {
            let plan =
                Plan { model: Some(script(&mut Rng::with_seed(self.seed ^ number))), ..Plan::default() };
            let trace = self.ask(number, via, max_tokens, plan).await;
            match trace.outcome() {
                Outcome::Done { .. } => break,
                Outcome::Error { code: "rate_limited", .. } if began.elapsed() < within => {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                other => {
                    let after = began.elapsed();
                    return vec![Breach::expected(format!("there is no room {after:?} later: {other:?}"))];
                }
            }
        }
        Vec::new()
    }

    fn is_rate_limited(
        &self,
        number: u64,
        trace: &Trace,
        seconds: std::ops::RangeInclusive<u64>,
    ) -> Vec<Breach> {
        let limited = matches!(trace.outcome(), Outcome::Error { code: "rate_limited", .. });
        let mut found = Breach::unless(limited, format!("one too many led to {:?}", trace.outcome()));
        let retry_after = trace.retry_after();
        let said = retry_after.is_some_and(|after| seconds.contains(&after));
        found.extend(Breach::unless(said, format!("retry_after is {retry_after:?}")));
        let calls = self.stage.cloud.bedrock.calls_of(&self.id(number)).len();
        found.extend(Breach::unless(calls == 0, "the model was called for what was refused"));
        found
    }
}
