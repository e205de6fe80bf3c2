use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bench::{
    contestant::Places,
    machine, page,
    parts::{Effort, Part},
    plot,
    results::Results,
};
use clap::{Parser, ValueEnum as _};

/// Measures the built functions next to their peers, and writes benchmarks/.
#[derive(Parser)]
struct Arguments {
    /// Only these parts; the others stay as they were measured last
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Few repetitions, to see whether everything works
    #[arg(long)]
    quick: bool,
    /// On a busy machine, too
    #[arg(long)]
    force: bool,
    /// Measure nothing: draw tables and plots from what was measured last
    #[arg(long, conflicts_with_all = ["only", "quick", "force"])]
    render: bool,
    /// The folder of the built functions
    #[arg(long, default_value = "target/release")]
    bootstraps: PathBuf,
    /// The folder of their zips
    #[arg(long, default_value = "dist")]
    zips: PathBuf,
    /// The folder of the page, the figures and the plots
    #[arg(long, default_value = "benchmarks")]
    write: PathBuf,
}

/// Processes that want to run besides.
const BUSY: f64 = 1.0;

/// How long a build that has just ended may still be in the load average.
const PATIENCE: Duration = Duration::from_mins(4);
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { only, quick, force, render, bootstraps, zips, write } = Arguments::parse();
    let file = write.join("results.json");
    let mut results = Results::read(&file)?;
    if !render {
        if !force && !idle().await? {
            eprintln!(
                "bench: the machine is busy with something else: its figures would be in ours (--force)"
            );
            return Ok(ExitCode::FAILURE);
        }
        let repository = PathBuf::from(".").canonicalize()?;
        let places = Places { bench: repository.join("target/bench"), repository, bootstraps, zips };
        let parts = if only.is_empty() { Part::value_variants().to_vec() } else { only };
        for part in parts {
            eprintln!("{part}");
            part.measure(&mut results, &places, Effort { quick }).await.context(part.name())?;
            // Part by part: a run may be interrupted.
            results.write(&file)?;
        }
    }
    page::write(&results, &write.join("README.md"))?;
    plot::write(&results, &write)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the machine has nothing else to do, at once or soon.
async fn idle() -> anyhow::Result<bool> {
    let began = Instant::now();
    while machine::load_average()? > BUSY {
        if began.elapsed() > PATIENCE {
            return Ok(false);
        }
        if began.elapsed() < LOOK_AGAIN_AFTER {
            eprintln!(
                "the load average is {}: waiting for it to fall below {BUSY}",
                machine::load_average()?
            );
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
    Ok(true)
}
