use std::{error::Error, fmt};

use tracing::Level;
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{Settings, SettingsError};

/// How the modules of this repository begin. What others say below `warn` may hold a prompt (`lambda_runtime`
/// shows the event), so `LOG_LEVEL` moves only ours.
const OURS: [&str; 7] =
    ["appsync", "auth", "bedrock", "function_url", "startup", "stream_log", "websocket_api"];

/// JSON lines on stdout, which Lambda hands to its log group. `LOG_LEVEL`: `error`, `warn`, `info` (the
/// default), `debug` or `trace`.
pub fn init(settings: Settings) -> Result<(), SettingsError> {
    let level = settings.or("LOG_LEVEL", Level::INFO)?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(levels(level))).init();
    Ok(())
}

fn levels(level: Level) -> Targets {
    Targets::new().with_default(Level::WARN.min(level)).with_targets(OURS.map(|ours| (ours, level)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_ours_is_heard_at_the_level_that_is_set_and_others_only_when_they_warn() {
        for ours in ["appsync_worker", "function_url::runtime", "stream_log::follow", "websocket_api_stream"]
        {
            assert!(levels(Level::INFO).would_enable(ours, &Level::INFO), "{ours}");
            assert!(!levels(Level::ERROR).would_enable(ours, &Level::WARN), "{ours}");
        }
        for others in ["hyper", "lambda_runtime::layers::api_response"] {
            assert!(!levels(Level::TRACE).would_enable(others, &Level::INFO), "{others}");
            assert!(levels(Level::TRACE).would_enable(others, &Level::WARN), "{others}");
        }
    }
}
