use std::time::Duration;

use futures_util::future::try_join_all;
use probe::Architecture;

use super::{Effort, answers::STEADY};
use crate::{
    contestant::{Contestant, Places, Side},
    cost::Operations,
    prices::PRICES,
    results::Window,
    stage::{Setting, Speech, Stage},
};

const WINDOWS: [u64; 8] = [0, 10, 25, 50, 100, 200, 250, 400];
/// What a call of another AWS service in the same region may take, as a round number.
pub const SLOW_SEND_MS: u64 = 20;
const SENDS: [u64; 2] = [0, SLOW_SEND_MS];
/// Windows at a time: our functions use so little of a processor that they do not disturb each other.
const AT_ONCE: usize = 4;
const FIRST_TOKEN: Duration = Duration::from_millis(100);

/// What a function has that is not told otherwise, as `lambdas/README.md` says.
pub fn default_window_ms(architecture: Architecture) -> u64 {
    match architecture {
        Architecture::FunctionUrl => 0,
        Architecture::WebsocketApi => 50,
        Architecture::Appsync => 250,
    }
}

/// With the log: what it stores depends on the number of events, too.
pub(super) async fn measure(places: &Places, effort: Effort) -> anyhow::Result<Vec<Window>> {
    let tokens = effort.times(STEADY.tokens, 50);
    let cases: Vec<_> = SENDS.iter().flat_map(|&send| WINDOWS.map(|flush| (send, flush))).collect();
    let mut rows = Vec::new();
    for some in cases.chunks(AT_ONCE) {
        let each = some.iter().flat_map(|&case| Architecture::ALL.map(|architecture| (architecture, case)));
        let windows =
            each.filter(|(architecture, (send, _))| *send == 0 || *architecture != Architecture::FunctionUrl);
        let stages = try_join_all(
            windows.map(|(architecture, (send, flush))| open(architecture, send, flush, places)),
        )
        .await?;
        rows.extend(try_join_all(stages.into_iter().map(|stage| of_window(stage, tokens))).await?);
    }
    rows.sort_by_key(|row| (row.send_ms, row.architecture.clone(), row.flush_ms));
    Ok(rows)
}

async fn open(
    architecture: Architecture,
    send: u64,
    flush: u64,
    places: &Places,
) -> anyhow::Result<(Stage, u64, u64)> {
    let setting = Setting { flush_ms: Some(flush), send_ms: (send > 0).then_some(send) };
    let stage = Stage::open(Contestant::new(architecture, Side::Logged), setting, places).await?;
    // Not the init either.
    stage.cloud.lambda.provision(stage.contestant.function()).await?;
    Ok((stage, send, flush))
}

async fn of_window((stage, send_ms, flush_ms): (Stage, u64, u64), tokens: usize) -> anyhow::Result<Window> {
    let speech = Speech { tokens, ..STEADY };
    stage.say(speech, FIRST_TOKEN);
    let weighed = stage.weigh(speech).await?;
    let architecture = stage.contestant.architecture;
    let log = Operations {
        dynamodb_writes: weighed.operations.dynamodb_writes,
        dynamodb_reads: weighed.operations.dynamodb_reads,
        ..Operations::default()
    };
    let log_dollars = log.dollars(architecture, &PRICES);
    let all_dollars = weighed.operations.dollars(architecture, &PRICES);
    stage.close().await;
    Ok(Window {
        architecture: architecture.name().to_owned(),
        flush_ms,
        send_ms,
        messages: weighed.answer.events as f64,
        lag_p50_ms: weighed.answer.lag_ms(0.5),
        lag_p95_ms: weighed.answer.lag_ms(0.95),
        dynamodb_writes: weighed.operations.dynamodb_writes,
        dollars_per_1000: (all_dollars - log_dollars) * 1000.0,
        log_dollars_per_1000: log_dollars * 1000.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_functions() {
        let page = include_str!("../../../../lambdas/README.md");
        let defaults =
            Architecture::ALL.map(|architecture| default_window_ms(architecture).to_string()).join(", ");
        assert!(page.contains(&format!("| `FLUSH_INTERVAL_MS` | {defaults} |")), "{defaults}");
    }
}
