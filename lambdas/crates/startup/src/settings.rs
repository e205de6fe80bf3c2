use std::{env, fmt::Display, str::FromStr, time::Duration};

use chat::{RequestLimits, Tuning};

const DEFAULT_MAX_OUTPUT_TOKENS: u32 = 1024;

/// A function's settings: its environment variables.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings;

/// A setting that is missing or wrong. The function does not start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error("the environment variable {name} is wrong: {problem}")]
    Wrong { name: &'static str, problem: String },
}

impl Settings {
    pub fn required<T>(self, name: &'static str) -> Result<T, SettingsError>
    where
        T: FromStr<Err: Display>,
    {
        self.optional(name)?.ok_or(SettingsError::Missing(name))
    }

    /// An empty variable counts as one that is not set: Terraform cannot leave one out by condition.
    pub fn optional<T>(self, name: &'static str) -> Result<Option<T>, SettingsError>
    where
        T: FromStr<Err: Display>,
    {
        match env::var(name) {
            Err(env::VarError::NotPresent) => Ok(None),
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => text
                .parse()
                .map(Some)
                .map_err(|problem: T::Err| SettingsError::Wrong { name, problem: problem.to_string() }),
            Err(problem) => Err(SettingsError::Wrong { name, problem: problem.to_string() }),
        }
    }

    pub fn or<T>(self, name: &'static str, default: T) -> Result<T, SettingsError>
    where
        T: FromStr<Err: Display>,
    {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// The operator's cap on an answer's length.
    pub fn request_limits(self) -> Result<RequestLimits, SettingsError> {
        Ok(RequestLimits { max_output_tokens: self.or("MAX_OUTPUT_TOKENS", DEFAULT_MAX_OUTPUT_TOKENS)? })
    }

    /// What the operator may change of a transport's limits.
    pub fn tuning(self, transport: &Tuning) -> Result<Tuning, SettingsError> {
        Ok(Tuning {
            first_token: self.seconds_or("FIRST_TOKEN_TIMEOUT_SECONDS", transport.first_token)?,
            between_tokens: self.seconds_or("BETWEEN_TOKENS_TIMEOUT_SECONDS", transport.between_tokens)?,
            flush_interval: self.millis_or("FLUSH_INTERVAL_MS", transport.flush_interval)?,
            max_delta_bytes: transport.max_delta_bytes,
            ping_every: transport.ping_every,
        })
    }

    /// Whole seconds.
    pub fn seconds_or(self, name: &'static str, default: Duration) -> Result<Duration, SettingsError> {
        Ok(self.optional(name)?.map_or(default, Duration::from_secs))
    }

    /// Whole milliseconds.
    pub fn millis_or(self, name: &'static str, default: Duration) -> Result<Duration, SettingsError> {
        Ok(self.optional(name)?.map_or(default, Duration::from_millis))
    }
}
