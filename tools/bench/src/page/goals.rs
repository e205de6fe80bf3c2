//! What was to be reached, and whether it is.

use probe::Architecture;

use super::{Table, times};
use crate::{
    contestant::Side,
    parts::{SLOW_SEND_MS, default_window_ms},
    results::{Answers, Results, Zip},
    summary::digits,
};

/// One aim, with what was measured.
struct Goal {
    what: &'static str,
    aim: &'static str,
    /// In words, and whether that is enough; nothing where it was not measured.
    measured: Option<(String, bool)>,
}

pub(super) fn table(results: &Results) -> String {
    let mut table = Table::new(["", "aim", "measured", ""]);
    for Goal { what, aim, measured } in goals(results) {
        let (measured, met) = match measured {
            Some((measured, true)) => (measured, "met"),
            Some((measured, false)) => (measured, "**missed**"),
            None => ("not measured".to_owned(), ""),
        };
        table.row(&[what.to_owned(), aim.to_owned(), measured, met.to_owned()]);
    }
    table.end()
}

fn goals(results: &Results) -> Vec<Goal> {
    let of = |architecture: Architecture, side| results.answers(architecture.name(), side);
    let pair = |architecture, value: fn(&Answers) -> f64| {
        Some((value(of(architecture, Side::Ours)?), value(of(architecture, Side::Peer)?)))
    };
    let init = |side| results.init("function-url", side).map(|row| row.ms.median);
    let init = init(Side::Ours).zip(init(Side::Peer));
    let memory = pair(Architecture::FunctionUrl, |row| row.resident_mb.median);
    let cpu = |architecture| pair(architecture, |row| row.cpu_ms_per_1000_tokens.median);
    let first = pair(Architecture::FunctionUrl, |row| row.added_first_token_ms.median);
    let way = pair(Architecture::FunctionUrl, |row| row.first_token_lag_ms.median);
    let posts = pair(Architecture::Appsync, |row| row.messages.median);
    vec![
        Goal {
            what: "function-url, init",
            aim: "20 times less than Node.js, and at most 6 ms",
            measured: init.map(|(ours, peer)| less(ours, peer, "ms", 20.0, 6.0)),
        },
        Goal {
            what: "function-url, memory after an answer",
            aim: "9 times less than Node.js, and at most 8 MB",
            measured: memory.map(|(ours, peer)| less(ours, peer, "MB", 9.0, 8.0)),
        },
        Goal {
            what: "function-url, CPU per 1,000 tokens at 50 tokens/s",
            aim: "8 times less than Node.js",
            measured: cpu(Architecture::FunctionUrl)
                .map(|(ours, peer)| less(ours, peer, "ms", 8.0, f64::INFINITY)),
        },
        Goal {
            what: "function-url, what is added to the first token, from the request on",
            aim: "less than Node.js, and at most 1 ms (median)",
            measured: first.map(|(ours, peer)| less(ours, peer, "ms", 1.0, 1.0)),
        },
        Goal {
            what: "of that, from the model's emission on",
            aim: "less than Node.js, and at most 1 ms (median)",
            measured: way.map(|(ours, peer)| less(ours, peer, "ms", 1.0, 1.0)),
        },
        Goal {
            what: "websocket-api, CPU per 1,000 tokens at 50 tokens/s",
            aim: "15 times less than Python",
            measured: cpu(Architecture::WebsocketApi)
                .map(|(ours, peer)| less(ours, peer, "ms", 15.0, f64::INFINITY)),
        },
        Goal {
            what: "websocket-api, lag with posts of 20 ms",
            aim: "at most one post (median)",
            measured: lag_with_posts(results),
        },
        Goal {
            what: "appsync, publications of a 500-token answer",
            aim: "a tenth of the sample's",
            measured: posts.map(|(ours, peer)| less(ours, peer, "publications", 10.0, f64::INFINITY)),
        },
        Goal { what: "all six zips", aim: "at most 10 MB", measured: zips(&results.zips) },
    ]
}

fn less(ours: f64, peer: f64, unit: &str, ratio: f64, most: f64) -> (String, bool) {
    let factor = peer / ours;
    let text = format!("{} {unit} against {}: {}", digits(ours), digits(peer), times(factor));
    // Equal is not less.
    (text, factor >= ratio && factor > 1.0 && ours <= most)
}

/// What the default makes of it; how much of that is the window's is said besides.
fn lag_with_posts(results: &Results) -> Option<(String, bool)> {
    let lag = |flush_ms| {
        let row = results.curve.iter().find(|row| {
            row.architecture == Architecture::WebsocketApi.name()
                && row.flush_ms == flush_ms
                && row.send_ms == SLOW_SEND_MS
        })?;
        Some(row.lag_p50_ms)
    };
    let (none, default) = (lag(0)?, lag(default_window_ms(Architecture::WebsocketApi))?);
    let text = format!("{} ms with the default window, {} ms without one", digits(default), digits(none));
    Some((text, default <= SLOW_SEND_MS as f64))
}

fn zips(zips: &[Zip]) -> Option<(String, bool)> {
    let bytes: u64 = zips.iter().filter(|zip| zip.side == Side::Ours).map(|zip| zip.bytes).sum();
    (bytes > 0).then(|| (format!("{} MB", digits(bytes as f64 / 1e6)), bytes <= 10_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Window;

    fn check(default_lag_ms: f64, expect: &str) {
        let architecture = Architecture::WebsocketApi;
        let row = |flush_ms, lag_p50_ms| Window {
            architecture: architecture.name().to_owned(),
            flush_ms,
            send_ms: SLOW_SEND_MS,
            messages: 0.0,
            lag_p50_ms,
            lag_p95_ms: 0.0,
            dynamodb_writes: 0.0,
            dollars_per_1000: 0.0,
            log_dollars_per_1000: 0.0,
        };
        let curve = vec![row(0, 12.5), row(default_window_ms(architecture), default_lag_ms)];
        let page = table(&Results { curve, ..Results::default() });
        assert!(page.contains(expect), "{page}");
    }

    #[test]
    fn the_lag_is_judged_with_the_window_that_a_function_has_by_default() {
        check(27.4, "| 27.4 ms with the default window, 12.5 ms without one | **missed** |");
        check(20.0, "| 20.0 ms with the default window, 12.5 ms without one | met |");
    }
}
