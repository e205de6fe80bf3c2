//! What can go wrong, each worded as the one line that a person reads in the terminal.

use std::time::Duration;

use serde_json::{Value, json};

/// Why a step failed. Never holds a token, a prompt or an answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("{0} is not set: run `make local`, or set it in frontend/.env or the environment")]
    MissingSetting(&'static str),
    #[error("{key} is not a URL")]
    InvalidUrl { key: &'static str },
    #[error("{key} is {value}: it can be {allowed}")]
    InvalidSetting { key: &'static str, value: String, allowed: &'static str },
    #[error("cannot read {path}: {reason}")]
    EnvFile { path: String, reason: String },
    #[error("cannot reach {target}: {reason}{}", if *.local { " (is `make local` running?)" } else { "" })]
    Unreachable { target: String, reason: String, local: bool },
    #[error("{what} refused{}: {reason}", .status.map(|status| format!(" (HTTP {status})")).unwrap_or_default())]
    Refused { what: &'static str, status: Option<u16>, reason: String },
    #[error("waited {0:?} for {1}")]
    Timeout(Duration, &'static str),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("the stream ended without a terminal event")]
    Ended,
    #[error("gap: expected {expected}, got {got}")]
    Gap { expected: u64, got: u64 },
    /// The peer broke its protocol or the stream contract.
    #[error("{0}")]
    Protocol(String),
    #[error(transparent)]
    Contract(#[from] ContractError),
}

/// The contract's `error`, where it is the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ContractError {
    pub code: String,
    pub message: String,
    pub retryable: bool,
    /// In seconds.
    pub retry_after: Option<u64>,
    pub status: Option<u16>,
}

impl ContractError {
    /// From an `error` event.
    pub(crate) fn of(event: &Value, status: Option<u16>) -> Option<Self> {
        (event["type"] == "error").then(|| Self {
            code: event["code"].as_str().unwrap_or("internal").to_owned(),
            message: event["message"].as_str().unwrap_or_default().to_owned(),
            retryable: event["retryable"].as_bool().unwrap_or(false),
            retry_after: event["retry_after"].as_u64(),
            status,
        })
    }

    pub(crate) fn to_event(&self) -> Value {
        let mut event = json!({
            "type": "error", "code": self.code, "message": self.message, "retryable": self.retryable,
        });
        if let Some(seconds) = self.retry_after {
            event["retry_after"] = seconds.into();
        }
        event
    }
}

impl ProbeError {
    /// The HTTP status behind a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::Contract(ContractError { status, .. }) => *status,
            Self::MissingSetting(_)
            | Self::InvalidUrl { .. }
            | Self::InvalidSetting { .. }
            | Self::EnvFile { .. }
            | Self::Unreachable { .. }
            | Self::Timeout(..)
            | Self::Broken(_)
            | Self::Ended
            | Self::Gap { .. }
            | Self::Protocol(_) => None,
        }
    }

    /// Whether the connection is to blame, so that another one may bring what is missing.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Timeout(..)
            | Self::Broken(_)
            | Self::Ended
            | Self::Gap { .. } => true,
            Self::Refused { status, .. } => {
                status.is_none_or(|status| matches!(status, 408 | 429 | 500..=599))
            }
            Self::Contract(error) => error.retryable,
            Self::MissingSetting(_)
            | Self::InvalidUrl { .. }
            | Self::InvalidSetting { .. }
            | Self::EnvFile { .. }
            | Self::Protocol(_) => false,
        }
    }
}

/// Why a WebSocket was not opened. `status` is set when the server answered with something else than 101, or, as
/// `AppSync` does, refused after the upgrade and said why in HTTP's terms.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct OpenError {
    pub status: Option<u16>,
    pub source: ProbeError,
}

impl From<ProbeError> for OpenError {
    fn from(source: ProbeError) -> Self {
        Self { status: source.status(), source }
    }
}

impl From<OpenError> for ProbeError {
    fn from(error: OpenError) -> Self {
        error.source
    }
}
