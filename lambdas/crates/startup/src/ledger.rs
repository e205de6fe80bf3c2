//! The one line that says how a request went.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_smithy_types::{DateTime, date_time::Format};
use chat::{Ending, ErrorCode, Outcome, SinkError, StreamId};
use serde::Serialize;
use tracing::{Level, warn};

use crate::{
    Causes, Settings, SettingsError,
    metrics::{Metric, Metrics},
};

/// Writes how each request went, on one line that the metrics are made of as well. No prompt, no text, no token.
///
/// A line with metrics is written whatever `LOG_LEVEL` is: what is not written is not counted.
#[derive(Debug, Clone)]
pub struct Ledger {
    function_name: String,
}

impl Ledger {
    pub fn new(function_name: String) -> Self {
        Self { function_name }
    }

    /// Lambda itself sets the function's name.
    pub fn from_settings(settings: Settings) -> Result<Self, SettingsError> {
        settings.required("AWS_LAMBDA_FUNCTION_NAME").map(Self::new)
    }

    /// A request that got a stream, however that ended.
    pub fn answered(&self, request_id: &str, stream_id: &StreamId, outcome: &Outcome) {
        write(&self.answer(SystemTime::now(), request_id, stream_id, outcome));
    }

    /// A request that got no stream. One that the caller has to change is a line and no metric; any other is a
    /// failure of ours. `error` goes into the log with all its causes, so it must not quote the request.
    pub fn refused(
        &self,
        request_id: &str,
        stream_id: Option<&StreamId>,
        code: ErrorCode,
        error: &(dyn Error + 'static),
    ) {
        if is_ours(code) {
            write(&self.failure(SystemTime::now(), request_id, stream_id, code, error));
        } else {
            warn!(
                request_id,
                stream_id = stream_id.map(StreamId::as_str),
                outcome = REFUSED,
                reason = code.as_str(),
                error = %Causes(error),
                "refused"
            );
        }
    }

    /// Events of a stream that its log did not take, in so many calls.
    pub fn log_failed(&self, stream_id: &StreamId, calls: u64) {
        write(&self.log_failure(SystemTime::now(), stream_id, calls));
    }

    fn answer(&self, at: SystemTime, request_id: &str, stream_id: &StreamId, outcome: &Outcome) -> String {
        let (level, name, reason, cause) = describe(&outcome.ending);
        let values = [
            (Metric::FirstTokenMs, outcome.timing.first_token_ms),
            (Metric::TotalMs, Some(outcome.timing.total_ms)),
            (Metric::OutputTokens, outcome.usage.map(|usage| usage.output_tokens)),
            (Metric::MessagesSent, Some(outcome.messages)),
            (Metric::Failures, Some(u64::from(is_failure(&outcome.ending)))),
        ];
        let values = values.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect();
        to_json(&Line {
            timestamp: timestamp(at),
            level: level.as_str(),
            message: "answered",
            request_id: Some(request_id),
            stream_id: Some(stream_id.as_str()),
            outcome: Some(name),
            reason: Some(reason),
            error: cause.map(|cause| Causes(cause).to_string()),
            input_tokens: outcome.usage.map(|usage| usage.input_tokens),
            sends: Some(outcome.sends),
            events: Some(outcome.events),
            metrics: Metrics::new(at, &self.function_name, values),
        })
    }

    fn failure(
        &self,
        at: SystemTime,
        request_id: &str,
        stream_id: Option<&StreamId>,
        code: ErrorCode,
        error: &(dyn Error + 'static),
    ) -> String {
        to_json(&Line {
            timestamp: timestamp(at),
            level: Level::ERROR.as_str(),
            message: "refused",
            request_id: Some(request_id),
            stream_id: stream_id.map(StreamId::as_str),
            outcome: Some(REFUSED),
            reason: Some(code.as_str()),
            error: Some(Causes(error).to_string()),
            input_tokens: None,
            sends: None,
            events: None,
            metrics: Metrics::new(at, &self.function_name, BTreeMap::from([(Metric::Failures, 1)])),
        })
    }

    fn log_failure(&self, at: SystemTime, stream_id: &StreamId, calls: u64) -> String {
        to_json(&Line {
            timestamp: timestamp(at),
            level: Level::WARN.as_str(),
            message: "the stream log failed",
            request_id: None,
            stream_id: Some(stream_id.as_str()),
            outcome: None,
            reason: None,
            error: None,
            input_tokens: None,
            sends: None,
            events: None,
            metrics: Metrics::new(at, &self.function_name, BTreeMap::from([(Metric::LogFailures, calls)])),
        })
    }
}

const REFUSED: &str = "refused";

/// A line with metrics. What it shares with the lines of `tracing` is named and written as there: Lambda filters
/// by `level` and sorts by `timestamp`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sends: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
    #[serde(flatten)]
    metrics: Metrics<'a>,
}

type Description<'a> = (Level, &'static str, &'static str, Option<&'a (dyn Error + 'static)>);

/// Level, outcome, reason and cause.
fn describe(ending: &Ending) -> Description<'_> {
    match ending {
        Ending::Done(reason) => (Level::INFO, "done", reason.as_str(), None),
        Ending::Failed(code, cause) => {
            (Level::WARN, "error", code.as_str(), cause.as_ref().map(|cause| cause as _))
        }
        Ending::Undelivered(SinkError::Gone) => (Level::INFO, "gone", "client_gone", None),
        Ending::Undelivered(error @ SinkError::Failed(_)) => {
            (Level::ERROR, "undelivered", "sink_failed", Some(error))
        }
    }
}

/// Whether somebody was owed an answer and did not get it. Who left is owed nothing.
fn is_failure(ending: &Ending) -> bool {
    match ending {
        Ending::Done(_) | Ending::Undelivered(SinkError::Gone) => false,
        Ending::Failed(..) | Ending::Undelivered(SinkError::Failed(_)) => true,
    }
}

/// Whether a request without a stream is our failure, and not the caller's to mend.
fn is_ours(code: ErrorCode) -> bool {
    match code {
        ErrorCode::InvalidRequest
        | ErrorCode::Unauthorized
        | ErrorCode::PayloadTooLarge
        | ErrorCode::RateLimited
        | ErrorCode::Conflict
        | ErrorCode::NotFound => false,
        ErrorCode::ModelThrottled
        | ErrorCode::ModelUnavailable
        | ErrorCode::ModelError
        | ErrorCode::ModelTimeout
        | ErrorCode::DeadlineExceeded
        | ErrorCode::Truncated
        | ErrorCode::Interrupted
        | ErrorCode::Internal => true,
    }
}

/// RFC 3339 with microseconds in UTC, as `tracing` writes it.
fn timestamp(at: SystemTime) -> String {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = DateTime::from_secs(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX));
    let seconds = seconds.fmt(Format::DateTime).unwrap_or_default();
    format!("{}.{:06}Z", seconds.trim_end_matches('Z'), since_epoch.subsec_micros())
}

fn to_json(line: &Line<'_>) -> String {
    serde_json::to_string(line).expect("strings and numbers always serialize") + "\n"
}

/// In one write, so that nothing gets into the middle. A function whose log cannot be written still answers.
fn write(line: &str) {
    let _ = io::stdout().lock().write_all(line.as_bytes());
}
