use std::fmt::Write as _;

use super::{Table, times};
use crate::{
    contestant::{Side, label},
    prices::{MONTH, REGION},
    results::{Answers, Results},
    summary::digits,
};

pub(super) fn init(results: &Results) -> String {
    let mut table = Table::new(["function", "", "init (ms)", "its CPU (ms)", "memory after it (MB)"]);
    for row in &results.init {
        let side = if row.side == Side::Peer { peer_of(&row.function) } else { label("", row.side) };
        table.row(&[
            row.function.clone(),
            side.to_owned(),
            row.ms.to_string(),
            row.cpu_ms.to_string(),
            row.resident_mb.to_string(),
        ]);
    }
    table.end()
}

pub(super) fn answers(results: &Results) -> String {
    let mut table = Table::new([
        "",
        "",
        "added to the first token (ms)",
        "its way alone (ms)",
        "lag p50 (ms)",
        "lag p99 (ms)",
        "CPU per 1,000 tokens (ms)",
        "messages",
        "memory (MB)",
        "tokens/s at full speed",
        "CPU per 1,000 then (ms)",
    ]);
    for row in &results.answers {
        table.row(&[
            row.architecture.clone(),
            label(&row.architecture, row.side).to_owned(),
            row.added_first_token_ms.to_string(),
            row.first_token_lag_ms.to_string(),
            row.lag_p50_ms.to_string(),
            row.lag_p99_ms.to_string(),
            row.cpu_ms_per_1000_tokens.to_string(),
            digits(row.messages.median),
            row.resident_mb.to_string(),
            row.tokens_per_second.to_string(),
            row.full_speed_cpu_ms_per_1000_tokens.to_string(),
        ]);
    }
    let mut text = table.end();
    text.push('\n');
    text += &ratios(results);
    text
}

/// The peer's figure by ours.
fn ratios(results: &Results) -> String {
    let mut table =
        Table::new(["ours to the peer", "init", "memory", "CPU per token", "first token's way", "messages"]);
    for ours in results.answers.iter().filter(|row| row.side == Side::Ours) {
        let Some(peer) = results.answers(&ours.architecture, Side::Peer) else { continue };
        let by = |value: fn(&Answers) -> f64| times(value(peer) / value(ours));
        let function = function_of(&ours.architecture);
        let init = |side| results.init(function, side).map(|row| row.ms.median);
        table.row(&[
            format!("{}, {}", ours.architecture, label(&ours.architecture, Side::Peer)),
            init(Side::Peer)
                .zip(init(Side::Ours))
                .map_or_else(|| "–".to_owned(), |(peer, ours)| times(peer / ours)),
            by(|row| row.resident_mb.median),
            by(|row| row.cpu_ms_per_1000_tokens.median),
            by(|row| row.first_token_lag_ms.median),
            by(|row| row.messages.median),
        ]);
    }
    table.end()
}

pub(super) fn cost(results: &Results) -> String {
    let mut table = Table::new([
        "1,000 answers",
        "",
        "USD",
        "GB-seconds",
        "messages or operations",
        "updates",
        "DynamoDB writes, reads",
    ]);
    for row in &results.answers {
        let operations = &row.operations;
        let thousand = |value: f64| digits(value * 1000.0);
        table.row(&[
            row.architecture.clone(),
            label(&row.architecture, row.side).to_owned(),
            format!("{:.3}", row.dollars_per_1000),
            thousand(operations.lambda_seconds / 8.0),
            thousand(operations.messages + operations.appsync_operations),
            thousand(operations.updates),
            format!("{}, {}", thousand(operations.dynamodb_writes), thousand(operations.dynamodb_reads)),
        ]);
    }
    let mut text = table.end();
    let _ = writeln!(
        text,
        "\nList prices of {MONTH} in {REGION}, every function with 128 MB on arm64, a connection for each answer, without the model."
    );
    text
}

pub(super) fn lengths(results: &Results) -> String {
    let mut table = Table::new([
        "",
        "",
        "tokens",
        "CPU (ms)",
        "CPU per 1,000 tokens (ms)",
        "messages",
        "peak memory (MB)",
    ]);
    for row in &results.lengths {
        table.row(&[
            row.architecture.clone(),
            label(&row.architecture, row.side).to_owned(),
            row.tokens.to_string(),
            row.cpu_ms.to_string(),
            digits(row.cpu_ms.median / row.tokens as f64 * 1000.0),
            digits(row.messages.median),
            row.peak_mb.to_string(),
        ]);
    }
    table.end()
}

pub(super) fn crowds(results: &Results) -> String {
    let mut table = Table::new([
        "",
        "",
        "streams",
        "added to the first token p50, p99 (ms)",
        "lag p50, p99 (ms)",
        "CPU per 1,000 tokens (ms)",
        "memory together (MB)",
        "failed",
    ]);
    for row in &results.crowds {
        let pair = |p50: f64, p99: f64| format!("{}, {}", digits(p50), digits(p99));
        let [first, lag, cpu, memory] = match &row.skipped {
            Some(why) => [why.clone(), "–".to_owned(), "–".to_owned(), "–".to_owned()],
            None => [
                pair(row.added_first_token_p50_ms, row.added_first_token_p99_ms),
                pair(row.lag_p50_ms, row.lag_p99_ms),
                digits(row.cpu_ms_per_1000_tokens),
                digits(row.resident_mb),
            ],
        };
        let side = label(&row.architecture, row.side).to_owned();
        let (streams, failed) = (row.streams.to_string(), row.failed.to_string());
        table.row(&[row.architecture.clone(), side, streams, first, lag, cpu, memory, failed]);
    }
    table.end()
}

pub(super) fn curve(results: &Results) -> String {
    let mut table = Table::new([
        "",
        "`FLUSH_INTERVAL_MS`",
        "a send (ms)",
        "messages",
        "USD per 1,000",
        "the log besides",
        "lag p50 (ms)",
        "lag p95 (ms)",
    ]);
    for row in &results.curve {
        table.row(&[
            row.architecture.clone(),
            row.flush_ms.to_string(),
            if row.send_ms == 0 { "loopback".to_owned() } else { row.send_ms.to_string() },
            digits(row.messages),
            format!("{:.3}", row.dollars_per_1000),
            format!("{:.3}", row.log_dollars_per_1000),
            digits(row.lag_p50_ms),
            digits(row.lag_p95_ms),
        ]);
    }
    table.end()
}

pub(super) fn tokens(results: &Results) -> String {
    let mut table = Table::new(["", "without the keys (µs)", "with them (µs)"]);
    for row in &results.tokens {
        let name = if row.side == Side::Peer { "aws-jwt-verify" } else { "`auth::Verifier`" };
        table.row(&[name.to_owned(), row.cold_us.to_string(), row.cached_us.to_string()]);
    }
    table.end()
}

pub(super) fn zips(results: &Results) -> String {
    let mut table = Table::new(["zip", "KB"]);
    let kilobytes = |bytes: u64| digits(bytes as f64 / 1000.0);
    for zip in results.zips.iter().filter(|zip| zip.side == Side::Ours) {
        table.row(&[zip.name.clone(), kilobytes(zip.bytes)]);
    }
    let ours = results.zips.iter().filter(|zip| zip.side == Side::Ours).map(|zip| zip.bytes).sum();
    table.row(&["**all six**".to_owned(), kilobytes(ours)]);
    for zip in results.zips.iter().filter(|zip| zip.side == Side::Peer) {
        table.row(&[format!("{} (a peer, without its runtime)", zip.name), kilobytes(zip.bytes)]);
    }
    table.end()
}

pub(super) fn machine(results: &Results) -> String {
    let machine = &results.machine;
    let versions: Vec<_> =
        machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut text = format!(
        "{} cores of {}, {} GB, Linux {}. {}.\n\n",
        machine.cores,
        machine.cpu,
        machine.memory_gb,
        machine.kernel,
        versions.join(", ")
    );
    let mut table = Table::new(["part", "measured on", "load average before", "stolen meanwhile", ""]);
    for (part, taken) in &results.taken {
        let stolen = taken.steal.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
        let quick = if taken.quick { "**few repetitions: says nothing**" } else { "" };
        let load_average = taken.load_average.to_string();
        table.row(&[part.clone(), taken.date.clone(), load_average, stolen, quick.to_owned()]);
    }
    text += &table.end();
    text
}

fn function_of(architecture: &str) -> &'static str {
    match architecture {
        "websocket-api" => "websocket-api-stream",
        "appsync" => "appsync-worker",
        _ => "function-url",
    }
}

fn peer_of(function: &str) -> &'static str {
    match function {
        "websocket-api-stream" => label("websocket-api", Side::Peer),
        "appsync-worker" => label("appsync", Side::Peer),
        _ => label("function-url", Side::Peer),
    }
}
