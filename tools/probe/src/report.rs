//! Numbers out of traces: the rows of the table and of the JSON document.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{Architecture, Outcome, Trace};

/// One stream's numbers. Times are milliseconds since the start, with one decimal; what did not happen is `null`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub architecture: &'static str,
    /// `done`, `error` or `failed`.
    pub outcome: &'static str,
    pub stop_reason: Option<String>,
    /// The contract's code of an `error`.
    pub code: Option<String>,
    /// How many seconds an `error` asks to wait.
    pub retry_after: Option<u64>,
    /// What the server or the client has to say about an error or a failure.
    pub message: Option<String>,
    pub http_status: Option<u16>,
    /// What the stream can be resumed by.
    pub stream_id: Option<String>,
    pub model: Option<String>,
    pub connect_ms: Option<f64>,
    /// Until the `start` event.
    pub accepted_ms: Option<f64>,
    pub first_token_ms: Option<f64>,
    /// Output tokens over the time between the first and the last text.
    pub tokens_per_second: Option<f64>,
    pub total_ms: Option<f64>,
    /// From asking for the end until it came.
    pub stop_ms: Option<f64>,
    /// The longest time without text between two texts.
    pub longest_gap_ms: Option<f64>,
    /// As the server counted and measured.
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub server_first_token_ms: Option<u64>,
    pub server_total_ms: Option<u64>,
    /// Everything that arrived, with pings and repeats.
    pub events: usize,
    pub deltas: usize,
    pub bytes: usize,
    /// Only on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Report {
    pub fn new(architecture: Architecture, trace: &Trace) -> Self {
        let (outcome, stop_reason, code, message) = match trace.outcome() {
            Outcome::Done { stop_reason } => ("done", Some(stop_reason), None, None),
            Outcome::Error { code, message } => ("error", None, Some(code), Some(message)),
            Outcome::Failed(failure) => ("failed", None, None, Some(failure)),
        };
        let terminal = |group: &str, name: &str| trace.terminal()?.event[group][name].as_u64();
        let output_tokens = terminal("usage", "output_tokens");
        let field = |name: &str| {
            let mut values = trace.received.iter().filter_map(|received| received.event[name].as_str());
            values.next().map(str::to_owned)
        };
        Self {
            architecture: architecture.name(),
            outcome,
            stop_reason: stop_reason.map(str::to_owned),
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
            retry_after: trace.retry_after(),
            http_status: trace.http_status,
            stream_id: field("stream_id"),
            model: field("model"),
            connect_ms: trace.connect().map(ms),
            accepted_ms: trace.accepted().map(ms),
            first_token_ms: trace.first_token().map(ms),
            tokens_per_second: rate(output_tokens, trace),
            total_ms: trace.total().map(ms),
            stop_ms: None,
            longest_gap_ms: trace.arrival_gaps().into_iter().max().map(ms),
            input_tokens: terminal("usage", "input_tokens"),
            output_tokens,
            server_first_token_ms: terminal("timing", "first_token_ms"),
            server_total_ms: terminal("timing", "total_ms"),
            events: trace.received.len(),
            deltas: trace.deltas(),
            bytes: trace.bytes(),
            text: None,
        }
    }

    /// With the time that a stop took, which was asked for at this moment.
    #[must_use]
    pub fn stopped_at(mut self, asked: Instant, trace: &Trace) -> Self {
        let ended = trace.terminal().map(|end| end.at.saturating_duration_since(asked));
        self.stop_ms = ended.map(ms);
        self
    }

    pub fn is_done(&self) -> bool {
        self.outcome == "done"
    }

    /// The outcome in a line.
    pub fn verdict(&self) -> String {
        let details = [&self.stop_reason, &self.code, &self.message].into_iter().flatten();
        let line = details.fold(self.outcome.to_owned(), |line, detail| format!("{line}: {detail}"));
        let wait = self.retry_after.map(|seconds| format!(" (in {seconds} s)"));
        let stop = self.stop_ms.map(|ms| format!(" ({ms} ms after asking for the end)"));
        [Some(line), wait, stop].into_iter().flatten().collect()
    }
}

/// An aligned table, one row each.
pub fn table(reports: &[Report]) -> String {
    let header = [
        "architecture",
        "connect ms",
        "accepted ms",
        "first token ms",
        "tokens/s",
        "total ms",
        "events",
        "deltas",
        "bytes",
        "outcome",
    ];
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let rows = reports.iter().map(|report| {
        [
            report.architecture.to_owned(),
            number(report.connect_ms),
            number(report.accepted_ms),
            number(report.first_token_ms),
            number(report.tokens_per_second),
            number(report.total_ms),
            report.events.to_string(),
            report.deltas.to_string(),
            report.bytes.to_string(),
            report.verdict(),
        ]
    });
    let rows: Vec<_> = std::iter::once(header.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; 10] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let mut table = String::new();
    for row in &rows {
        let [architecture, numbers @ .., outcome] = row;
        let _ = write!(table, "{architecture:<0$}", widths[0]);
        for (number, width) in numbers.iter().zip(&widths[1..]) {
            let _ = write!(table, "  {number:>width$}");
        }
        let _ = writeln!(table, "  {outcome}");
    }
    table
}

fn ms(duration: Duration) -> f64 {
    one_decimal(duration.as_secs_f64() * 1000.0)
}

fn rate(output_tokens: Option<u64>, trace: &Trace) -> Option<f64> {
    let tokens = f64::from(u32::try_from(output_tokens?).ok()?);
    let seconds = trace.last_token()?.saturating_sub(trace.first_token()?).as_secs_f64();
    (seconds > 0.0).then(|| one_decimal(tokens / seconds))
}

fn one_decimal(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Received;

    fn trace(events: &[(u64, Value)], failure: Option<&str>) -> Trace {
        let started = Instant::now();
        let at = |ms: u64| started + Duration::from_millis(ms);
        let received =
            events.iter().map(|(ms, event)| Received { at: at(*ms), event: event.clone(), bytes: 10 });
        Trace {
            started,
            after: None,
            resumptions: Vec::new(),
            connected: Some(at(5)),
            received: received.collect(),
            failure: failure.map(str::to_owned),
            http_status: None,
        }
    }

    #[test]
    fn a_trace_becomes_a_row() {
        let answer = trace(
            &[
                (10, json!({"type": "start", "seq": 0, "model": "m"})),
                (20, json!({"type": "delta", "seq": 1, "text": ""})),
                (30, json!({"type": "delta", "seq": 2, "text": "a"})),
                (40, json!({"type": "ping"})),
                (530, json!({"type": "delta", "seq": 3, "text": "b"})),
                (
                    550,
                    json!({"type": "done", "seq": 4, "stop_reason": "end_turn",
                    "usage": {"input_tokens": 3, "output_tokens": 7}}),
                ),
            ],
            None,
        );
        let limited = json!({"type": "error", "code": "rate_limited", "message": "No.", "retry_after": 7});
        let refused = trace(&[(8, limited)], None);
        let lost = trace(&[], Some("gap: expected 4, got 6"));
        let reports = [
            Report::new(Architecture::FunctionUrl, &answer),
            Report::new(Architecture::WebsocketApi, &refused),
            Report::new(Architecture::Appsync, &lost),
        ];
        let expected = "\
architecture   connect ms  accepted ms  first token ms  tokens/s  total ms  events  deltas  bytes  outcome
function-url          5.0         10.0            30.0      14.0     550.0       6       3     60  done: end_turn
websocket-api         5.0            -               -         -       8.0       1       0     10  error: rate_limited: No. (in 7 s)
appsync               5.0            -               -         -         -       0       0      0  failed: gap: expected 4, got 6
";
        assert_eq!(table(&reports), expected);
        assert_eq!(reports.map(|report| report.is_done()), [true, false, false]);
        assert_eq!(answer.text(), "ab");
        let stopped = Report::new(Architecture::Appsync, &answer)
            .stopped_at(answer.started + Duration::from_millis(540), &answer);
        assert_eq!(stopped.verdict(), "done: end_turn (10 ms after asking for the end)");
    }
}
