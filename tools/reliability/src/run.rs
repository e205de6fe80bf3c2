//! All of it: rows over seeds, then combinations, then what the functions have left behind.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::{Duration, Instant},
};

use fastrand::Rng;
use futures_util::{StreamExt as _, stream};
use probe::Architecture;

use crate::{
    check::Breach,
    history::History,
    random::{self, World},
    report::percentile,
    rows::{self, Log, Own, Play, Row},
    scenario::{ANSWER_CANARY, Scenario},
    stage::{Kind, PROMPT_CANARY, Stage},
};

pub struct Options {
    /// Runs of each row on each architecture.
    pub seeds: u64,
    /// Runs of random combinations.
    pub random: u64,
    /// Runs of each row on each architecture without a stream log, and a hundred times as many combinations.
    pub unlogged: u64,
    /// With the rows that take more than a few seconds.
    pub slow: bool,
    /// These rows alone; all if there is none.
    pub rows: Vec<u8>,
    /// The run of this seed alone.
    pub seed: Option<u64>,
    /// Streams at once.
    pub concurrency: usize,
}

#[derive(Default)]
pub struct Report {
    pub rows: Vec<Outcome>,
    pub random: Outcome,
    /// What was played once more without a stream log.
    pub unlogged: Outcome,
    /// From when nobody reads to when the model is closed, sorted.
    pub closed_after: Vec<Duration>,
    /// From asking for the end to when the model is closed, and to when the client has it, sorted.
    pub stopped_after: Vec<Duration>,
    pub ended_after: Vec<Duration>,
    /// How often a client came back for the rest.
    pub resumptions: usize,
    /// The most memory that an environment of any function had, in kB.
    pub largest_kb: u64,
    /// Lines of the functions' logs, and those among them that hold what must not be there.
    pub log_lines: usize,
    pub secrets_in_logs: usize,
    pub elapsed: Duration,
}

#[derive(Default)]
pub struct Outcome {
    pub number: u8,
    pub fault: &'static str,
    pub expected: &'static str,
    pub architectures: Vec<&'static str>,
    pub runs: usize,
    /// Each with the seed that repeats it.
    pub breaches: Vec<String>,
    /// Instead of runs.
    pub note: Option<String>,
    /// With a stream log and without.
    is_played_either_way: bool,
}

struct Job {
    row: usize,
    architecture: Architecture,
    seed: u64,
    stage: Kind,
    is_logged: bool,
    what: What,
}

enum What {
    Scenario(Box<Scenario>),
    Own(Own),
}

struct Done {
    row: usize,
    architecture: Architecture,
    seed: u64,
    is_logged: bool,
    breaches: Vec<Breach>,
    closed_after: Vec<Duration>,
    stopped_after: Vec<Duration>,
    ended_after: Option<Duration>,
    resumptions: usize,
}

/// 99 of 100 stops close the model so soon. Of fewer than 100 nothing can be said but that none is far too late.
const STOPPED_WITHIN: Duration = Duration::from_secs(1);

impl Report {
    pub fn breaches(&self) -> impl Iterator<Item = String> {
        let of = |outcome: &Outcome| {
            let row = outcome.number;
            outcome.breaches.iter().map(move |what| format!("row {row}: {what}")).collect::<Vec<_>>()
        };
        let secrets = (self.secrets_in_logs > 0).then(|| format!("I9: {} log lines", self.secrets_in_logs));
        let p99 = percentile(&self.stopped_after, 99);
        let is_known = self.stopped_after.len() >= 100;
        let slow = (is_known && p99 > STOPPED_WITHIN)
            .then(|| format!("I11: the model was closed {p99:?} after a stop (p99)"));
        let rows = self.rows.iter().chain([&self.random, &self.unlogged]).flat_map(of);
        rows.chain(secrets).chain(slow).collect::<Vec<_>>().into_iter()
    }
}

pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let started = Instant::now();
    let rows: Vec<&Row> = rows::all()
        .into_iter()
        .filter(|row| options.rows.is_empty() || options.rows.contains(&row.number))
        .collect();
    let jobs: Vec<Job> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| options.slow || !row.slow)
        .flat_map(|(place, row)| {
            let runs = if options.slow { row.runs.of(options.seeds) } else { options.seeds };
            let with = (row.log != Log::Off).then(|| jobs(place, row, runs, true));
            let without = (row.log != Log::There)
                .then(|| jobs(place, row, if row.log == Log::Off { runs } else { options.unlogged }, false));
            with.into_iter().chain(without).flatten()
        })
        .chain(combinations(rows.len(), options.random, true))
        .chain(combinations(rows.len(), options.random.min(100 * options.unlogged), false))
        .filter(|job| options.seed.is_none_or(|seed| seed == job.seed))
        .collect();
    let mut stages: HashMap<(Kind, bool), Stage> = HashMap::new();
    for job in &jobs {
        if let Entry::Vacant(place) = stages.entry((job.stage, job.is_logged)) {
            place.insert(Stage::open(job.stage, job.is_logged).await?);
        }
    }
    let mut report =
        Report { rows: rows.iter().map(|row| outcome(row, options.slow)).collect(), ..Report::default() };
    let playing =
        jobs.into_iter().map(|job| play(&stages[&(job.stage, job.is_logged)], job, options.seed.is_some()));
    let mut played = stream::iter(playing).buffer_unordered(options.concurrency);
    while let Some(done) = played.next().await {
        report.note(done);
    }
    drop(played);
    for stage in stages.into_values() {
        report.look_behind(&stage);
        stage.cloud.shutdown().await;
    }
    report.closed_after.sort();
    report.stopped_after.sort();
    report.ended_after.sort();
    report.elapsed = started.elapsed();
    Ok(report)
}

fn jobs(place: usize, row: &Row, seeds: u64, is_logged: bool) -> Vec<Job> {
    let stage = row.stage;
    let job = |architecture, seed, what| Job { row: place, architecture, seed, stage, is_logged, what };
    let each = row.architectures.iter().flat_map(|&architecture| (0..seeds).map(move |n| (architecture, n)));
    each.filter_map(|(architecture, n)| {
        // Different for each row and architecture, and the same in each run of this program.
        let log = u64::from(!is_logged) << 56;
        let seed = log | u64::from(row.number) << 40 | (place as u64) << 32 | (architecture as u64) << 24 | n;
        match row.play {
            Play::Scenario(make) => {
                let scenario = make(architecture, &mut Rng::with_seed(seed));
                Some(job(architecture, seed, What::Scenario(Box::new(scenario))))
            }
            Play::Own(own) => Some(job(architecture, seed, What::Own(own))),
            Play::ShownBy(_) | Play::Open(_) => None,
        }
    })
    .collect()
}

fn combinations(row: usize, count: u64, is_logged: bool) -> impl Iterator<Item = Job> {
    (0..count).map(move |n| {
        let seed = 1 << 60 | u64::from(!is_logged) << 56 | n;
        let (stage, world) = match (is_logged, n % 3) {
            (true, 0) => (Kind::Signal, World::Abandoning),
            (true, _) => (Kind::Usual, World::Logged),
            (false, _) => (Kind::Usual, World::Unlogged),
        };
        let scenario = random::scenario(&mut Rng::with_seed(seed), world);
        let architecture = scenario.architecture;
        Job { row, architecture, seed, stage, is_logged, what: What::Scenario(Box::new(scenario)) }
    })
}

fn outcome(row: &Row, slow: bool) -> Outcome {
    let note = match row.play {
        Play::Scenario(_) | Play::Own(_) if row.slow && !slow => Some("in the long run only".to_owned()),
        Play::Scenario(_) | Play::Own(_) => None,
        Play::ShownBy(test) => Some(format!("tests of {test}")),
        Play::Open(why) => Some(format!("**open**: {why}")),
    };
    Outcome {
        number: row.number,
        fault: row.fault,
        expected: row.expected,
        architectures: row.architectures.iter().map(|architecture| architecture.name()).collect(),
        note,
        is_played_either_way: row.log == Log::Either,
        ..Outcome::default()
    }
}

async fn play(stage: &Stage, job: Job, replayed: bool) -> Done {
    let Job { row, architecture, seed, is_logged, .. } = job;
    let (history, breaches) = match job.what {
        What::Scenario(scenario) => {
            let (history, breaches) = stage.judge(&scenario, seed).await;
            if replayed {
                eprintln!("{:?} {:#?}\n{history:#?}", scenario.client, scenario.plan);
            }
            (Some(history), breaches)
        }
        What::Own(own) => (None, own(stage, architecture, seed).await),
    };
    let ended_after = |history: &History| {
        // A prompt in the queue hears of it when it is taken out.
        let stopped = history.stopped.filter(|_| !history.model.is_empty());
        Some(history.heard.ended?.saturating_duration_since(stopped?))
    };
    let history = history.as_ref();
    Done {
        row,
        architecture,
        seed,
        is_logged,
        breaches,
        closed_after: history.map(closing_times).unwrap_or_default(),
        stopped_after: history.map(History::stopping_times).unwrap_or_default(),
        ended_after: history.and_then(ended_after),
        resumptions: history.map_or(0, |history| history.heard.resumptions()),
    }
}

fn closing_times(history: &History) -> Vec<Duration> {
    let Some(gone) = history.gone else { return Vec::new() };
    history.model.iter().filter_map(|run| Some(run.closed?.saturating_duration_since(gone))).collect()
}

impl Report {
    fn note(&mut self, done: Done) {
        let row = self.rows.get_mut(done.row);
        let is_shared = row.as_ref().is_none_or(|row| row.is_played_either_way);
        let outcome = match row {
            _ if !done.is_logged && is_shared => &mut self.unlogged,
            Some(row) => row,
            None => &mut self.random,
        };
        outcome.runs += 1;
        let (architecture, seed) = (done.architecture, done.seed);
        outcome
            .breaches
            .extend(done.breaches.iter().map(|breach| format!("{architecture}, seed {seed}: {breach}")));
        self.closed_after.extend(done.closed_after);
        self.stopped_after.extend(done.stopped_after);
        self.ended_after.extend(done.ended_after);
        self.resumptions += done.resumptions;
    }

    /// I9 and I10: the logs, and the memory.
    fn look_behind(&mut self, stage: &Stage) {
        let logs = stage.cloud.lambda.logs();
        let secrets = [PROMPT_CANARY, ANSWER_CANARY, stage.token()];
        self.log_lines += logs.len();
        self.secrets_in_logs +=
            logs.iter().filter(|(_, line)| secrets.iter().any(|secret| line.contains(secret))).count();
        for function in local_cloud::wiring::FUNCTIONS {
            self.largest_kb = self.largest_kb.max(stage.peak_kb(function.name).unwrap_or_default());
        }
    }
}
