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

/// The function's 8 s, the lease's 15 s, and some for a busy machine.
const FREE_AFTER_A_KILL: Duration = Duration::from_secs(35);

/// One user's streams.
struct Account<'s> {
    stage: &'s Stage,
    token: String,
    seed: u64,
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

async fn fill_up(stage: &Stage, architecture: Architecture, seed: u64, way: Way) -> Vec<Breach> {
    let account = match Account::new(stage, seed).await {
        Ok(account) => account,
        Err(error) => return vec![Breach::expected(format!("{error:#}"))],
    };
    let mut rng = Rng::with_seed(seed);
    // A prompt's place may be needed for as long as it may wait in the queue: too long for this.
    let first = match way {
        Way::Killed => *rng.choice(&[Architecture::FunctionUrl, Architecture::WebsocketApi]).expect("two"),
        Way::Done | Way::Fails | Way::Stopped => any(&mut rng),
    };
    let long = |rng: &mut Rng| Script {
        tokens: Some((0..200).map(|at| format!("{at} ")).collect()),
        between_tokens: Duration::from_millis(25),
        ..script(rng)
    };
    let mut plan = Plan { model: Some(long(&mut rng)), ..Plan::default() };
    match way {
        Way::Done | Way::Stopped => {}
        Way::Fails => {
            plan.model = Some(Script { ending: Ending::Truncated { after: 40 }, ..long(&mut rng) });
        }
        Way::Killed => plan.kill_after_tokens = Some(40),
    }
    if let (Way::Done | Way::Fails, Some(model)) = (way, &mut plan.model) {
        model.tokens.iter_mut().for_each(|tokens| tokens.truncate(41));
        // Not before all the others are under way, on a busy machine too.
        model.between_tokens = Duration::from_millis(100);
    }
    let first_id = account.id(0);
    let others = (1..MAX_STREAMS as u64).map(|number| {
        let plan = Plan { model: Some(long(&mut Rng::with_seed(seed ^ number))), ..Plan::default() };
        let via = Architecture::ALL[usize::try_from(number).unwrap_or_default() % 3];
        account.ask(number, via, 300, plan)
    });
    let running = async {
        let first = account.ask(0, first, 300, plan);
        tokio::join!(first, join_all(others))
    };
    let trying = async {
        for number in 0..MAX_STREAMS as u64 {
            stage.until_the_model_is_asked(&account.id(number)).await;
        }
        let refused = account.ask(10, architecture, 300, Plan::default()).await;
        let mut found = account.is_rate_limited(10, &refused, 1..=60);
        match way {
            Way::Stopped => {
                if let Err(error) =
                    probe::cancel(&stage.settings, architecture, &account.token, &first_id).await
                {
                    found.push(Breach::expected(format!("the stop was refused: {error}")));
                }
            }
            Way::Done | Way::Fails | Way::Killed => {}
        }
        stage.until_the_model_closes(&first_id).await;
        let within = if matches!(way, Way::Killed) { FREE_AFTER_A_KILL } else { FREE_WITHIN };
        found.extend(account.has_room(300, architecture, within).await);
        found
    };
    let (_, found) = tokio::join!(running, trying);
    found
}

async fn spend(stage: &Stage, architecture: Architecture, seed: u64) -> Vec<Breach> {
    let account = match Account::new(stage, seed).await {
        Ok(account) => account,
        Err(error) => return vec![Breach::expected(format!("{error:#}"))],
    };
    let plan = || {
        let model = Script {
            tokens: Some((0..30).map(|at| format!("{at} ")).collect()),
            // Time for the one that is refused, on a busy machine too.
            between_tokens: Duration::from_millis(180),
            ..script(&mut Rng::with_seed(seed))
        };
        Plan { model: Some(model), ..Plan::default() }
    };
    // Each may use so many that there is no room for a third, and uses 30.
    let max_tokens = u32::try_from(MAX_TOKENS / 3 + 1).unwrap_or(u32::MAX);
    let running = async {
        let one = account.ask(0, Architecture::FunctionUrl, max_tokens, plan());
        tokio::join!(one, account.ask(1, architecture, max_tokens, plan()))
    };
    let meddling = async {
        for number in 0..2 {
            stage.until_the_model_is_asked(&account.id(number)).await;
        }
        account.ask(10, architecture, max_tokens, Plan::default()).await
    };
    let ((one, two), refused) = tokio::join!(running, meddling);
    let mut found = account.is_rate_limited(10, &refused, 1..=86_400);
    for trace in [one, two] {
        let done = matches!(trace.outcome(), Outcome::Done { .. });
        found.extend(Breach::unless(done, format!("what was allowed was {:?}", trace.outcome())));
    }
    found.extend(account.has_room(max_tokens, architecture, FREE_WITHIN).await);
    found
}

impl<'s> Account<'s> {
    async fn new(stage: &'s Stage, seed: u64) -> anyhow::Result<Self> {
        Ok(Self { stage, token: stage.new_users_token().await?, seed })
    }

    fn id(&self, number: u64) -> String {
        Stage::stream_id(self.seed ^ (number + 1) << 48)
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
