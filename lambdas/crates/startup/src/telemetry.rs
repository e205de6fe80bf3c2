use std::{error::Error, fmt};

use chat::{Ending, Outcome, StreamId};
use tracing::{Level, error, info, warn};
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{Settings, SettingsError};

/// How the modules of this repository begin. What the AWS SDK says below `warn` may hold a prompt, so
/// `LOG_LEVEL` moves only ours.
const OURS: [&str; 6] = ["appsync", "auth", "bedrock", "function_url", "startup", "websocket_api"];

/// JSON lines on stdout, which Lambda hands to its log group. `LOG_LEVEL`: `error`, `warn`, `info` (the
/// default), `debug` or `trace`.
pub fn init(settings: Settings) -> Result<(), SettingsError> {
    let level = settings.or("LOG_LEVEL", Level::INFO)?;
    let levels =
        Targets::new().with_default(Level::WARN.min(level)).with_targets(OURS.map(|ours| (ours, level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
    Ok(())
}

/// The one line that says how an answer went. No prompt, no text, no token.
pub fn log_outcome(request_id: &str, stream_id: &StreamId, outcome: &Outcome) {
    let usage = outcome.usage;
    let (name, code, cause) = match &outcome.ending {
        Ending::Done(reason) => ("done", reason.as_str(), None),
        Ending::Failed(code, cause) => {
            ("error", code.as_str(), cause.as_ref().map(|cause| cause as &(dyn Error + 'static)))
        }
        Ending::Undelivered(chat::SinkError::Gone) => ("gone", "client_gone", None),
        Ending::Undelivered(error) => ("undelivered", "sink_failed", Some(error as &(dyn Error + 'static))),
    };
    macro_rules! line {
        ($level:ident) => {
            $level!(
                request_id,
                stream_id = stream_id.as_str(),
                outcome = name,
                reason = code,
                first_token_ms = outcome.timing.first_token_ms,
                total_ms = outcome.timing.total_ms,
                input_tokens = usage.map(|usage| usage.input_tokens),
                output_tokens = usage.map(|usage| usage.output_tokens),
                sends = outcome.sends,
                events = outcome.events,
                error = cause.map(|cause| Causes(cause).to_string()),
                "answered"
            )
        };
    }
    match outcome.ending {
        Ending::Done(_) | Ending::Undelivered(chat::SinkError::Gone) => line!(info),
        Ending::Failed(..) => line!(warn),
        Ending::Undelivered(chat::SinkError::Failed(_)) => line!(error),
    }
}

/// An error with everything that caused it, on one line: `it failed: because: of this`.
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
