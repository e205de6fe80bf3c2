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
    random,
    rows::{self, Own, Play, Row},
    scenario::{ANSWER_CANARY, Scenario},
    stage::{Kind, PROMPT_CANARY, Stage},
};

pub struct Options {
    /// Runs of each row on each architecture.
    pub seeds: u64,
    /// Runs of random combinations.
    pub random: u64,
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
    /// From when nobody reads to when the model is closed, sorted.
    pub closed_after: Vec<Duration>,
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
}

struct Job {
    row: usize,
    architecture: Architecture,
    seed: u64,
    stage: Kind,
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
    breaches: Vec<Breach>,
    closed_after: Vec<Duration>,
}

impl Report {
    pub fn breaches(&self) -> impl Iterator<Item = String> {
        let of = |outcome: &Outcome| {
            let row = outcome.number;
            outcome.breaches.iter().map(move |what| format!("row {row}: {what}")).collect::<Vec<_>>()
        };
        let secrets = (self.secrets_in_logs > 0).then(|| format!("I9: {} log lines", self.secrets_in_logs));
        self.rows.iter().flat_map(of).chain(of(&self.random)).chain(secrets).collect::<Vec<_>>().into_iter()
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
        .flat_map(|(place, row)| jobs(place, row, options.seeds))
        .chain(combinations(rows.len(), options.random))
        .filter(|job| options.seed.is_none_or(|seed| seed == job.seed))
        .collect();
    let mut stages: HashMap<Kind, Stage> = HashMap::new();
    for job in &jobs {
        if let Entry::Vacant(place) = stages.entry(job.stage) {
            place.insert(Stage::open(job.stage).await?);
        }
    }
    let mut report =
        Report { rows: rows.iter().map(|row| outcome(row, options.slow)).collect(), ..Report::default() };
    let playing = jobs.into_iter().map(|job| play(&stages[&job.stage], job, options.seed.is_some()));
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
    report.elapsed = started.elapsed();
    Ok(report)
}

fn jobs(place: usize, row: &Row, seeds: u64) -> Vec<Job> {
    let job = |architecture, seed, what| Job { row: place, architecture, seed, stage: row.stage, what };
    let each = row.architectures.iter().flat_map(|&architecture| (0..seeds).map(move |n| (architecture, n)));
    each.filter_map(|(architecture, n)| {
        // Different for each row and architecture, and the same in each run of this program.
        let seed = (place as u64) << 32 | (architecture as u64) << 24 | n;
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

fn combinations(row: usize, count: u64) -> impl Iterator<Item = Job> {
    (0..count).map(move |n| {
        let seed = 1 << 60 | n;
        let scenario = random::scenario(&mut Rng::with_seed(seed));
        let architecture = scenario.architecture;
        Job { row, architecture, seed, stage: Kind::Usual, what: What::Scenario(Box::new(scenario)) }
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
        ..Outcome::default()
    }
}

async fn play(stage: &Stage, job: Job, replayed: bool) -> Done {
    let Job { row, architecture, seed, .. } = job;
    let (breaches, closed_after) = match job.what {
        What::Scenario(scenario) => {
            let (history, breaches) = stage.judge(&scenario, seed).await;
            if replayed {
                eprintln!("{:#?}\n{history:#?}", scenario.plan);
            }
            (breaches, closing_times(&history))
        }
        What::Own(own) => (own(stage, seed).await, Vec::new()),
    };
    Done { row, architecture, seed, breaches, closed_after }
}

fn closing_times(history: &History) -> Vec<Duration> {
    let Some(gone) = history.gone else { return Vec::new() };
    history.model.iter().filter_map(|run| Some(run.closed?.saturating_duration_since(gone))).collect()
}

impl Report {
    fn note(&mut self, done: Done) {
        let outcome = self.rows.get_mut(done.row).unwrap_or(&mut self.random);
        outcome.runs += 1;
        let (architecture, seed) = (done.architecture, done.seed);
        outcome
            .breaches
            .extend(done.breaches.iter().map(|breach| format!("{architecture}, seed {seed}: {breach}")));
        self.closed_after.extend(done.closed_after);
    }

    /// I9 and I10: the logs, and the memory.
    fn look_behind(&mut self, stage: &Stage) {
        let logs = stage.cloud.lambda.logs();
        let secrets = [PROMPT_CANARY, ANSWER_CANARY, &stage.token];
        self.log_lines += logs.len();
        self.secrets_in_logs +=
            logs.iter().filter(|(_, line)| secrets.iter().any(|secret| line.contains(secret))).count();
        for function in local_cloud::wiring::FUNCTIONS {
            self.largest_kb = self.largest_kb.max(stage.peak_kb(function.name).unwrap_or_default());
        }
    }
}
