//! What has been measured, as `benchmarks/results.json` keeps it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{contestant::Side, cost::Operations, machine::Machine, summary::Summary};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    pub machine: Machine,
    /// What was measured when: each part may be run alone.
    pub taken: BTreeMap<String, Taken>,
    pub init: Vec<Init>,
    pub answers: Vec<Answers>,
    pub lengths: Vec<Length>,
    pub crowds: Vec<Crowd>,
    pub curve: Vec<Window>,
    pub tokens: Vec<Verification>,
    pub zips: Vec<Zip>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taken {
    pub date: String,
    /// Over a minute, before.
    pub load_average: f64,
    /// The share of the processors' time that the hypervisor gave to others meanwhile; not noted in older results.
    pub steal: Option<f64>,
    /// A run to see whether everything works, with too few repetitions to say anything.
    pub quick: bool,
}

/// From the execution of the bootstrap to its first `/next`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Init {
    pub function: String,
    pub side: Side,
    pub ms: Summary,
    pub cpu_ms: Summary,
    pub resident_mb: Summary,
}

/// Of one warm environment that gives one answer at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answers {
    pub architecture: String,
    pub side: Side,
    /// On an open connection, of the whole request.
    pub added_first_token_ms: Summary,
    /// From the model's emission of it.
    pub first_token_lag_ms: Summary,
    /// Answers of 500 tokens at 50 tokens/s from here.
    pub lag_p50_ms: Summary,
    pub lag_p99_ms: Summary,
    pub cpu_ms_per_1000_tokens: Summary,
    pub messages: Summary,
    pub resident_mb: Summary,
    pub peak_mb: Summary,
    /// Of an answer, on average.
    pub operations: Operations,
    pub dollars_per_1000: f64,
    /// The model as fast as it can.
    pub tokens_per_second: Summary,
    pub full_speed_cpu_ms_per_1000_tokens: Summary,
}

/// A fresh environment's first answer, of so many tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Length {
    pub architecture: String,
    pub side: Side,
    pub tokens: usize,
    pub cpu_ms: Summary,
    pub messages: Summary,
    pub peak_mb: Summary,
}

/// So many streams at once, each at 50 tokens/s, in environments that are there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Crowd {
    pub architecture: String,
    pub side: Side,
    pub streams: usize,
    /// Why there is nothing to see.
    pub skipped: Option<String>,
    pub failed: usize,
    pub added_first_token_p50_ms: f64,
    pub added_first_token_p99_ms: f64,
    pub lag_p50_ms: f64,
    pub lag_p99_ms: f64,
    pub cpu_ms_per_1000_tokens: f64,
    /// Of the function's environments together.
    pub resident_mb: f64,
}

/// A least time between messages, and what it brings: an answer of 500 tokens at 50 tokens/s.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Window {
    pub architecture: String,
    pub flush_ms: u64,
    /// How long a post or a publication took besides; 0 is what loopback takes.
    pub send_ms: u64,
    pub messages: f64,
    pub lag_p50_ms: f64,
    pub lag_p95_ms: f64,
    pub dynamodb_writes: f64,
    /// Without the stream log, which is billed besides.
    pub dollars_per_1000: f64,
    pub log_dollars_per_1000: f64,
}

/// Of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verification {
    pub side: Side,
    /// With fetching the keys over loopback.
    pub cold_us: Summary,
    pub cached_us: Summary,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Zip {
    pub name: String,
    pub side: Side,
    pub bytes: u64,
}

impl Results {
    /// Nothing, if there is no such file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path)?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| path.display().to_string())
    }

    pub fn answers(&self, architecture: &str, side: Side) -> Option<&Answers> {
        self.answers.iter().find(|row| row.architecture == architecture && row.side == side)
    }

    pub fn init(&self, function: &str, side: Side) -> Option<&Init> {
        self.init.iter().find(|row| row.function == function && row.side == side)
    }

    pub fn verification(&self, side: Side) -> Option<&Verification> {
        self.tokens.iter().find(|row| row.side == side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_before_the_steal_was_noted_can_be_read() {
        let text = r#"{"taken":{"zips":{"date":"2026-11-23","load_average":3.5,"quick":true}}}"#;
        let results: Results = serde_json::from_str(text).unwrap();
        let taken = Taken { date: "2026-11-23".to_owned(), load_average: 3.5, steal: None, quick: true };
        assert_eq!(results.taken["zips"], taken);
    }
}
