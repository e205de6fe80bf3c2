//! The report as a page.

use std::{fmt::Write as _, fs::File, path::Path, time::Duration};

use anyhow::Context as _;
use serde::Deserialize;

use crate::run::{Outcome, Report};

/// The tables of `docs/reliability.md`, between its markers.
pub fn tables(report: &Report) -> String {
    let mut page = String::new();
    page.push_str(
        "| # | fault | what comes of it | architectures | runs | breaches |\n|---|---|---|---|---|---|\n",
    );
    for row in &report.rows {
        line(&mut page, row);
    }
    let Outcome { runs, breaches, .. } = &report.random;
    let _ =
        writeln!(page, "| | random combinations | the invariants hold | all | {runs} | {} |", breaches.len());
    let Outcome { runs, breaches, .. } = &report.unlogged;
    let _ = writeln!(
        page,
        "| | all of it that needs no stream log, without one | as above | all | {runs} | {} |",
        breaches.len()
    );
    let _ = write!(page, "\n{}", footer(report));
    page
}

fn line(page: &mut String, row: &Outcome) {
    let architectures =
        if row.architectures.len() == 3 { "all".to_owned() } else { row.architectures.join(", ") };
    let Outcome { number, fault, expected, runs, breaches, note, .. } = row;
    let result = match note {
        Some(note) => format!("{note} | "),
        None => format!("{runs} | {}", breaches.len()),
    };
    let _ = writeln!(page, "| {number} | {fault} | {expected} | {architectures} | {result} |");
}

fn footer(report: &Report) -> String {
    let all = report.rows.iter().chain([&report.random, &report.unlogged]);
    let runs: usize = all.map(|row| row.runs).sum();
    let mut footer = format!(
        "{runs} streams, {} breaches, in {} s; {} of them without a stream log.\n",
        report.breaches().count(),
        report.elapsed.as_secs(),
        report.unlogged.runs,
    );
    let _ = writeln!(
        footer,
        "Clients came back for the rest {} times. After {} disconnects that a function could see, the model's connection was \
         closed within {}.",
        report.resumptions,
        report.closed_after.len(),
        within(&report.closed_after),
    );
    let _ = writeln!(
        footer,
        "After {} stops it was closed within {}; the client had the end within {}.",
        report.stopped_after.len(),
        within(&report.stopped_after),
        within(&report.ended_after),
    );
    let _ = writeln!(
        footer,
        "{} log lines of the functions, {} of them with a prompt, an answer or a token. The largest of all functions' \
         environments had {:.1} MB in memory.",
        report.log_lines,
        report.secrets_in_logs,
        megabytes(report.largest_kb),
    );
    footer
}

fn within(sorted: &[Duration]) -> String {
    let at = |percent| percentile(sorted, percent).as_millis();
    format!("{} ms (median), {} ms (p99), {} ms (worst)", at(50), at(99), at(100))
}

/// The verdicts on the token corpus, by family.
pub fn token_table(report: &Path) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Family {
        #[serde(rename = "family")]
        name: String,
        cases: usize,
        accepted: usize,
        rejected: usize,
        wrong: usize,
    }
    let file = File::open(report).with_context(|| report.display().to_string())?;
    let families: Vec<Family> = serde_json::from_reader(file)?;
    let sum = |count: fn(&Family) -> usize| families.iter().map(count).sum::<usize>();
    let mut table = "| family | tokens | accepted | rejected | wrong |\n|---|---|---|---|---|\n".to_owned();
    for Family { name, cases, accepted, rejected, wrong } in &families {
        let _ = writeln!(table, "| {name} | {cases} | {accepted} | {rejected} | {wrong} |");
    }
    let [cases, accepted, rejected, wrong] =
        [sum(|f| f.cases), sum(|f| f.accepted), sum(|f| f.rejected), sum(|f| f.wrong)];
    let _ = writeln!(table, "| **all** | **{cases}** | {accepted} | {rejected} | **{wrong}** |");
    Ok(table)
}

/// The nearest rank in a sorted list.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

pub fn megabytes(kb: u64) -> f64 {
    f64::from(u32::try_from(kb).unwrap_or(u32::MAX)) / 1024.0
}
