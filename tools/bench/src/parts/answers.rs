use std::time::Duration;

use probe::Architecture;

use super::Effort;
use crate::{
    contestant::{Contestant, Places, Side},
    cost::Operations,
    prices::PRICES,
    results::Answers,
    stage::{Answer, Setting, Speech, Stage, Weighed},
    summary::{Summary, ms},
};

/// The answer that is paid for: 500 tokens in 10 s.
pub(super) const STEADY: Speech = Speech { tokens: 500, between: Duration::from_millis(20) };
/// Enough for the first token to be measured.
const SHORT: Speech = Speech { tokens: 5, between: Duration::from_millis(5) };
const FAST: Speech = Speech { tokens: 2000, between: Duration::ZERO };
/// Until a runtime that compiles while it runs has compiled.
const WARM: Speech = Speech { tokens: 1000, between: Duration::ZERO };

/// Long enough for every function to wait for the model.
const FIRST_TOKEN: Duration = Duration::from_millis(50);

/// Of one contestant.
struct Gathered {
    stage: Stage,
    short: Vec<Answer>,
    steady: Vec<Weighed>,
    fast: Vec<Weighed>,
}

pub(super) async fn measure(places: &Places, effort: Effort) -> anyhow::Result<Vec<Answers>> {
    let mut rows = Vec::new();
    for architecture in Architecture::ALL {
        let mut all = Vec::new();
        for side in [Side::Ours, Side::Peer, Side::Logged] {
            let contestant = Contestant::new(architecture, side);
            let stage = Stage::open(contestant, Setting::default(), places).await?;
            stage.say(WARM, Duration::ZERO);
            for _ in 0..2 {
                stage.weigh(WARM).await?;
            }
            all.push(Gathered { stage, short: Vec::new(), steady: Vec::new(), fast: Vec::new() });
        }
        for _ in 0..effort.times(40, 3) {
            for one in &mut all {
                one.stage.say(SHORT, FIRST_TOKEN);
                one.short.push(one.stage.weigh(SHORT).await?.answer);
            }
        }
        for round in 0..effort.times(3, 1) {
            for one in &mut all {
                // The log is looked at once: it is no part of the comparison.
                if round == 0 || one.stage.contestant.side != Side::Logged {
                    let speech = Speech { tokens: effort.times(STEADY.tokens, 50), ..STEADY };
                    one.stage.say(speech, FIRST_TOKEN);
                    one.steady.push(one.stage.weigh(speech).await?);
                }
            }
        }
        for _ in 0..effort.times(3, 1) {
            for one in &mut all {
                one.stage.say(FAST, FIRST_TOKEN);
                one.fast.push(one.stage.weigh(FAST).await?);
            }
        }
        for one in all {
            rows.push(one.row());
            eprintln!("  {} {}: {}", architecture, one.stage.contestant.label(), brief(&rows));
            one.stage.close().await;
        }
    }
    Ok(rows)
}

impl Gathered {
    fn row(&self) -> Answers {
        let Self { stage, short, steady, fast } = self;
        let architecture = stage.contestant.architecture;
        let of_steady = |value: fn(&Weighed) -> f64| Summary::of(steady.iter().map(value));
        let operations = average(steady.iter().map(|weighed| weighed.operations));
        Answers {
            architecture: architecture.name().to_owned(),
            side: stage.contestant.side,
            added_first_token_ms: Summary::of_times(short.iter().map(|answer| answer.added_first_token)),
            first_token_lag_ms: Summary::of_times(
                short.iter().filter_map(|answer| answer.lags.first().copied()),
            ),
            lag_p50_ms: of_steady(|weighed| weighed.answer.lag_ms(0.5)),
            lag_p99_ms: of_steady(|weighed| weighed.answer.lag_ms(0.99)),
            cpu_ms_per_1000_tokens: of_steady(cpu_ms_per_1000_tokens),
            messages: of_steady(|weighed| weighed.answer.events as f64),
            resident_mb: of_steady(|weighed| weighed.usage.resident_mb),
            peak_mb: of_steady(|weighed| weighed.usage.peak_mb),
            operations,
            dollars_per_1000: operations.dollars(architecture, &PRICES) * 1000.0,
            tokens_per_second: Summary::of(fast.iter().map(|weighed| weighed.answer.tokens_per_second())),
            full_speed_cpu_ms_per_1000_tokens: Summary::of(fast.iter().map(cpu_ms_per_1000_tokens)),
        }
    }
}

fn cpu_ms_per_1000_tokens(weighed: &Weighed) -> f64 {
    ms(weighed.cpu) / weighed.answer.lags.len() as f64 * 1000.0
}

fn average(all: impl ExactSizeIterator<Item = Operations>) -> Operations {
    let count = all.len() as f64;
    all.fold(Operations::default(), |sum, one| sum.plus(&one)).times(1.0 / count)
}

fn brief(rows: &[Answers]) -> String {
    rows.last().map_or_else(String::new, |row| {
        format!(
            "first token {} ms, lag {} / {} ms, CPU {} ms, {} messages, {} MB, {} tokens/s",
            row.added_first_token_ms,
            row.lag_p50_ms,
            row.lag_p99_ms,
            row.cpu_ms_per_1000_tokens,
            row.messages,
            row.resident_mb,
            row.tokens_per_second
        )
    })
}
