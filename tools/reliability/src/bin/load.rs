//! The load of `docs/reliability.md`, on this machine.

use std::{fmt::Write as _, fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use probe::Architecture;
use reliability::{
    load::{Held, Load, Measured},
    page,
    report::{megabytes, percentile},
    stage::{Kind, Stage},
};

/// Many streams at once, then a burst of short ones, then, if asked for, a long soak.
#[derive(Parser)]
struct Arguments {
    /// How long each of the steady streams lasts, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: usize,
    /// How many of the usual streams: 1 is 300 function-url, 150 websocket-api, 100 appsync
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Minutes of a soak of short streams, instead of the load
    #[arg(long)]
    soak: Option<usize>,
    /// Write the figures into this page, between its markers
    #[arg(long)]
    write: Option<PathBuf>,
}

const STEADY: [(Architecture, f64); 3] =
    [(Architecture::FunctionUrl, 300.0), (Architecture::WebsocketApi, 150.0), (Architecture::Appsync, 100.0)];
const BURST: usize = 1000;
const BETWEEN_TOKENS: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seconds, scale, soak, write } = Arguments::parse();
    let stage = Stage::open(Kind::Crowded, true).await?;
    let (marker, figures, clean) = match soak {
        Some(minutes) => soaked(&stage, minutes).await?,
        None => loaded(&stage, seconds, scale).await,
    };
    stage.cloud.shutdown().await;
    println!("{figures}");
    if let Some(path) = write {
        page::replace(&path, marker, &figures)?;
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn loaded(stage: &Stage, seconds: usize, scale: f64) -> (&'static str, String, bool) {
    let mut figures = format!("{HEAD}\n");
    let mut clean = true;
    for (architecture, usual) in STEADY {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of streams")]
        let at_once = (usual * scale).round() as usize;
        let load = Load {
            architecture,
            at_once,
            streams: at_once,
            tokens: seconds * 50,
            between_tokens: BETWEEN_TOKENS,
        };
        line(&mut figures, &format!("{at_once} at 50 tokens/s for {seconds} s"), load, stage, &mut clean)
            .await;
    }
    for (architecture, _) in STEADY {
        let load = Load {
            architecture,
            at_once: 100,
            streams: BURST / 3,
            tokens: 20,
            between_tokens: Duration::ZERO,
        };
        line(&mut figures, &format!("{} of 20 tokens, 100 at a time", BURST / 3), load, stage, &mut clean)
            .await;
    }
    let _ = write!(figures, "\n{}\n", machine());
    ("load", figures, clean)
}

const HEAD: &str = "| architecture | streams | tokens/s | first token p50 / p99 | lag p50 / p99 | largest environment | breaches |\n|---|---|---|---|---|---|---|";

async fn line(figures: &mut String, what: &str, load: Load, stage: &Stage, clean: &mut bool) {
    eprintln!("{} {what}", load.architecture);
    let measured = stage.bear(load).await;
    *clean &= measured.breaches.is_empty();
    for breach in measured.breaches.iter().take(5) {
        eprintln!("{}: {breach}", load.architecture);
    }
    let Measured { tokens, elapsed, first_token, lag, breaches, .. } = &measured;
    let ms = |times: &[Duration], percent| percentile(times, percent).as_millis();
    let held = stage.held();
    let largest = held.values().map(|held| held.largest_kb).max().unwrap_or_default();
    let _ = writeln!(
        figures,
        "| {} | {what} | {} | {} / {} ms | {} / {} ms | {:.1} MB | {} |",
        load.architecture,
        u128::try_from(*tokens).unwrap_or_default() * 1000 / elapsed.as_millis().max(1),
        ms(first_token, 50),
        ms(first_token, 99),
        ms(lag, 50),
        ms(lag, 99),
        megabytes(largest),
        breaches.len(),
    );
}

/// Short streams for so long; what the environments hold after a tenth of it and at the end.
async fn soaked(stage: &Stage, minutes: usize) -> anyhow::Result<(&'static str, String, bool)> {
    let load = |architecture, streams| Load {
        architecture,
        at_once: 10,
        streams,
        tokens: 40,
        between_tokens: Duration::from_millis(5),
    };
    let (mut streams, mut breaches, mut early) = (0, 0, None);
    let began = std::time::Instant::now();
    let whole = Duration::from_secs(u64::try_from(minutes)? * 60);
    while began.elapsed() < whole {
        for architecture in Architecture::ALL {
            let measured = stage.bear(load(architecture, 50)).await;
            streams += measured.streams;
            breaches += measured.breaches.len();
        }
        if early.is_none() && began.elapsed() > whole / 10 {
            early = Some(stage.held());
        }
    }
    let (early, late) = (early.context("too short")?, stage.held());
    let mut figures = "| function | environments | memory after a tenth | at the end | open files then | at the end |\n|---|---|---|---|---|---|\n".to_owned();
    let mut flat = true;
    for (name, held) in &late {
        let Held { environments, largest_kb, most_files } = *held;
        let before = early[name];
        // A page here and there is the allocator's; a leak of a kilobyte in each answer would be megabytes.
        flat &= largest_kb <= before.largest_kb + 512 && most_files <= before.most_files + 2;
        let _ = writeln!(
            figures,
            "| {name} | {environments} | {:.2} MB | {:.2} MB | {} | {most_files} |",
            megabytes(before.largest_kb),
            megabytes(largest_kb),
            before.most_files,
        );
    }
    let _ = write!(figures, "\n{streams} streams in {minutes} minutes, {breaches} breaches. {}\n", machine());
    Ok(("soak", figures, flat && breaches == 0))
}

fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("?", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("On {cores} cores of {model}, which ran the functions, the stand-ins and the clients.")
}
