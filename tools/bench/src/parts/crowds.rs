use std::time::Duration;

use futures_util::{StreamExt as _, future::join_all, stream};
use probe::Architecture;

use super::Effort;
use crate::{
    contestant::{Contestant, Places, Side},
    machine, process,
    results::Crowd,
    stage::{Answer, MOST_STREAMS, Setting, Speech, Stage},
    summary::{ms, quantile, sorted},
};

const CROWDS: [usize; 3] = [1, 10, MOST_STREAMS];
/// 2 s, where the machine is fast enough.
const SPEECH: Speech = Speech { tokens: 100, between: Duration::from_millis(20) };
const FIRST_TOKEN: Duration = Duration::from_millis(200);
/// Until a runtime that compiles while it runs has begun to.
const WARM: Speech = Speech { tokens: 30, between: Duration::ZERO };

/// Streams begin one after the other within this time, as users do.
const WITHIN: Duration = Duration::from_secs(1);

/// Environments that start, and that warm up, at once.
const AT_ONCE: usize = 4;

/// What a machine needs besides, so that nothing is swapped or killed.
const SPARE_MB: f64 = 1024.0;

pub(super) async fn measure(places: &Places, effort: Effort) -> anyhow::Result<Vec<Crowd>> {
    let mut rows = Vec::new();
    for architecture in Architecture::ALL {
        let mut stages = Vec::new();
        for side in [Side::Ours, Side::Peer] {
            let contestant = Contestant::new(architecture, side);
            stages.push(Stage::open(contestant, Setting::default(), places).await?);
        }
        for streams in CROWDS {
            if effort.quick && streams > 10 {
                continue;
            }
            for stage in &stages {
                let row = of_crowd(stage, streams).await?;
                eprintln!(
                    "  {architecture} {} {streams}: lag {:.1} / {:.1} ms, {} failed",
                    stage.contestant.label(),
                    row.lag_p50_ms,
                    row.lag_p99_ms,
                    row.failed
                );
                rows.push(row);
            }
        }
        for stage in stages {
            stage.close().await;
        }
    }
    Ok(rows)
}

async fn of_crowd(stage: &Stage, streams: usize) -> anyhow::Result<Crowd> {
    if let Some(skipped) = fill(stage, streams).await? {
        return Ok(row(stage, streams, Some(skipped), 0, &[], Duration::ZERO));
    }
    // The first token waits for the last stream, so that each has an environment of its own.
    stage.say(WARM, WITHIN * 2);
    join_all((0..streams).map(|at| begun(stage, at, streams, WARM))).await;

    stage.say(SPEECH, FIRST_TOKEN);
    let before = stage.cpu()?;
    let answers = join_all((0..streams).map(|at| begun(stage, at, streams, SPEECH))).await;
    let (whole, failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    if let Some(Err(error)) = failed.first() {
        eprintln!("  {} of {streams} failed, such as: {error:#}", failed.len());
    }
    let whole: Vec<Answer> = whole.into_iter().flatten().collect();
    Ok(row(stage, streams, None, failed.len(), &whole, stage.cpu()?.saturating_sub(before)))
}

/// Starts environments until there are enough, or says why not.
async fn fill(stage: &Stage, streams: usize) -> anyhow::Result<Option<String>> {
    let lambda = &stage.cloud.lambda;
    let function = stage.contestant.function();
    if lambda.environments(function).is_empty() {
        lambda.provision(function).await?;
    }
    let there = lambda.environments(function).len();
    let needed = stage.usage()?.peak_mb * streams.saturating_sub(there) as f64 + SPARE_MB;
    if machine::free_memory_mb()? < needed {
        return Ok(Some(format!("this machine has not {needed:.0} MB to spare")));
    }
    let mut starts =
        stream::iter((there..streams).map(|_| lambda.provision(function))).buffer_unordered(AT_ONCE);
    while let Some(started) = starts.next().await {
        started?;
    }
    Ok(None)
}

async fn begun(stage: &Stage, at: usize, of: usize, speech: Speech) -> anyhow::Result<Answer> {
    tokio::time::sleep(WITHIN.mul_f64(at as f64 / of as f64)).await;
    stage.ask(speech).await
}

fn row(
    stage: &Stage,
    streams: usize,
    skipped: Option<String>,
    failed: usize,
    whole: &[Answer],
    cpu: Duration,
) -> Crowd {
    let first = sorted(whole.iter().map(|answer| ms(answer.added_first_token)));
    let lags = sorted(whole.iter().flat_map(|answer| answer.lags.iter().copied().map(ms)));
    let pids = stage.cloud.lambda.environments(stage.contestant.function());
    let memory = pids.into_iter().filter_map(|pid| Some(process::usage(pid).ok()?.resident_mb)).sum();
    Crowd {
        architecture: stage.contestant.architecture.name().to_owned(),
        side: stage.contestant.side,
        streams,
        skipped,
        failed,
        added_first_token_p50_ms: quantile(&first, 0.5),
        added_first_token_p99_ms: quantile(&first, 0.99),
        lag_p50_ms: quantile(&lags, 0.5),
        lag_p99_ms: quantile(&lags, 0.99),
        cpu_ms_per_1000_tokens: ms(cpu) / (lags.len() as f64).max(1.0) * 1000.0,
        resident_mb: memory,
    }
}
