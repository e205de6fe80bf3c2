//! What is measured, one file each.

use std::fmt;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::{
    contestant::Places,
    machine::{self, Machine, Ticks},
    results::{Results, Taken},
};

pub use curve::{SLOW_SEND_MS, default_window_ms};

mod answers;
mod crowds;
mod curve;
mod init;
mod lengths;
mod tokens;
mod zips;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// How long a function takes to start, and in how much memory
    Init,
    /// First token, lag, processor time and cost of one answer at a time, and the fastest
    Answers,
    /// Answers of 100, 1,000 and 10,000 tokens
    Lengths,
    /// 1, 10 and 100 streams at once
    Crowds,
    /// What `FLUSH_INTERVAL_MS` saves, and what it delays
    Curve,
    /// Verifying an access token
    Tokens,
    /// What is uploaded
    Zips,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Answers => "answers",
            Self::Lengths => "lengths",
            Self::Crowds => "crowds",
            Self::Curve => "curve",
            Self::Tokens => "tokens",
            Self::Zips => "zips",
        }
    }

    /// Measures, in place of what was measured before.
    pub async fn measure(self, results: &mut Results, places: &Places, effort: Effort) -> anyhow::Result<()> {
        // Whatever is missing here must not cost a run.
        let machine = Machine::here(&places.repository, &places.bench).context("this machine")?;
        let (date, load_average, before) = (machine::today(), machine::load_average()?, Ticks::now()?);
        match self {
            Self::Init => results.init = init::measure(places, effort).await?,
            Self::Answers => results.answers = answers::measure(places, effort).await?,
            Self::Lengths => results.lengths = lengths::measure(places, effort).await?,
            Self::Crowds => results.crowds = crowds::measure(places, effort).await?,
            Self::Curve => results.curve = curve::measure(places, effort).await?,
            Self::Tokens => results.tokens = tokens::measure(places, effort).await?,
            Self::Zips => results.zips = zips::measure(places)?,
        }
        let steal = Some(Ticks::now()?.stolen_since(before));
        results.machine = machine;
        let taken = Taken { date, load_average, steal, quick: effort.quick };
        results.taken.insert(self.name().to_owned(), taken);
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How often things are repeated.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub quick: bool,
}

impl Effort {
    /// So often, or, to see whether it works, so often.
    fn times(self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_told_of_the_machine_is_missed_before_anything_is_measured() {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let nowhere = PathBuf::from("/nowhere");
        let places =
            Places { repository, bench: nowhere.clone(), bootstraps: nowhere.clone(), zips: nowhere };
        let mut results = Results::default();
        let problem = Part::Zips.measure(&mut results, &places, Effort { quick: true }).await.unwrap_err();
        assert_eq!(problem.to_string(), "this machine");
        assert!(results.taken.is_empty());
    }
}
