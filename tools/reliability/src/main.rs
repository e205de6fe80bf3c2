use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use reliability::{
    page, report,
    run::{self, Options},
};

/// Throws faults at the built functions and reports what they broke.
#[derive(Parser)]
struct Arguments {
    /// Runs of each fault on each architecture
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// Runs of random combinations of faults
    #[arg(long, default_value_t = 2000)]
    random: u64,
    /// Runs of each fault on each architecture without a stream log
    #[arg(long, default_value_t = 4)]
    unlogged: u64,
    /// Leave out the faults that take longer than a few seconds
    #[arg(long)]
    quick: bool,
    /// Only the faults of these numbers
    #[arg(long, value_delimiter = ',')]
    rows: Vec<u8>,
    /// Only the run of this seed, as it was printed with a breach
    #[arg(long)]
    seed: Option<u64>,
    /// Streams at once
    #[arg(long, default_value_t = 24)]
    concurrency: usize,
    /// What the verifier's tests have written about the token corpus, for the page
    #[arg(long, requires = "write")]
    tokens: Option<PathBuf>,
    /// Write the tables into this page, between its markers
    #[arg(long)]
    write: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seeds, random, unlogged, quick, rows, seed, concurrency, tokens, write } =
        Arguments::parse();
    let report =
        run::run(&Options { seeds, random, unlogged, slow: !quick, rows, seed, concurrency }).await?;
    let tables = report::tables(&report);
    println!("{tables}");
    if let Some(path) = write {
        page::replace(&path, "faults", &tables)?;
        if let Some(tokens) = tokens {
            page::replace(&path, "tokens", &report::token_table(&tokens)?)?;
        }
    }
    let breaches: Vec<_> = report.breaches().collect();
    for breach in &breaches {
        eprintln!("{breach}");
    }
    Ok(if breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
