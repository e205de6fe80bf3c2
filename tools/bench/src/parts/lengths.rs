use std::time::Duration;

use probe::Architecture;

use super::Effort;
use crate::{
    contestant::{Contestant, Places, Side},
    process,
    results::Length,
    stage::{Setting, Speech, Stage},
    summary::{Summary, ms},
};

const LENGTHS: [usize; 3] = [100, 1000, 10_000];
/// 1,000 tokens/s: fast enough to wait for, slow enough for messages to be gathered as they are at any pace.
const BETWEEN: Duration = Duration::from_millis(1);

/// The first answer of a fresh environment, so that memory is this answer's.
pub(super) async fn measure(places: &Places, effort: Effort) -> anyhow::Result<Vec<Length>> {
    let mut rows = Vec::new();
    for architecture in Architecture::ALL {
        let mut stages = Vec::new();
        for side in [Side::Ours, Side::Peer] {
            let contestant = Contestant::new(architecture, side);
            stages.push(Stage::open(contestant, Setting::default(), places).await?);
        }
        for tokens in LENGTHS {
            if effort.quick && tokens > 1000 {
                continue;
            }
            // The longest takes as long as all others together.
            let rounds = if tokens < 10_000 { effort.times(3, 1) } else { 1 };
            for stage in &stages {
                let row = of_length(stage, tokens, rounds).await?;
                eprintln!(
                    "  {architecture} {} {tokens}: {} ms, {} MB",
                    stage.contestant.label(),
                    row.cpu_ms,
                    row.peak_mb
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

async fn of_length(stage: &Stage, tokens: usize, rounds: usize) -> anyhow::Result<Length> {
    let Contestant { architecture, side } = stage.contestant;
    let speech = Speech { tokens, between: BETWEEN };
    stage.say(speech, BETWEEN);
    let (mut cpu_ms, mut messages, mut peak_mb) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        // The next invocation takes the environment that was last idle.
        let fresh = stage.cloud.lambda.provision(stage.contestant.function()).await?;
        let weighed = stage.weigh(speech).await?;
        cpu_ms.push(ms(weighed.cpu));
        messages.push(weighed.answer.events as f64);
        peak_mb.push(process::usage(fresh.pid)?.peak_mb);
    }
    Ok(Length {
        architecture: architecture.name().to_owned(),
        side,
        tokens,
        cpu_ms: Summary::of(cpu_ms),
        messages: Summary::of(messages),
        peak_mb: Summary::of(peak_mb),
    })
}
