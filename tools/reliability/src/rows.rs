//! The faults, by number. Each row makes scenarios from a seed.

use fastrand::Rng;
use futures_util::future::LocalBoxFuture;
use probe::Architecture;

use crate::{
    check::Breach,
    scenario::Scenario,
    stage::{Kind, Stage},
};

mod caps;
mod client;
mod gateway;
mod log;
mod model;
mod once;
mod own;
mod queue;
mod stop;
mod store;

pub struct Row {
    pub number: u8,
    pub fault: &'static str,
    /// What comes of it.
    pub expected: &'static str,
    pub architectures: &'static [Architecture],
    pub stage: Kind,
    /// Takes longer than a few seconds: for the long run alone.
    pub slow: bool,
    pub log: Log,
    pub runs: Runs,
    pub play: Play,
}

/// Whether there is a stream log in a row's world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Either,
    There,
    Off,
}

/// How often a row is played in the long run, for each seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    Once,
    FiveTimes,
    TenTimes,
    /// For one seed in ten.
    Rarely,
}

impl Runs {
    pub fn of(self, seeds: u64) -> u64 {
        match self {
            Self::Once => seeds,
            Self::FiveTimes => 5 * seeds,
            Self::TenTimes => 10 * seeds,
            Self::Rarely => seeds.div_ceil(10),
        }
    }
}

pub type Own = for<'s> fn(&'s Stage, Architecture, u64) -> LocalBoxFuture<'s, Vec<Breach>>;

#[derive(Clone, Copy)]
pub enum Play {
    Scenario(fn(Architecture, &mut Rng) -> Scenario),
    /// More than one stream, or no stream at all.
    Own(Own),
    /// Shown elsewhere: the test that does.
    ShownBy(&'static str),
    /// Does not hold yet, and why.
    Open(&'static str),
}

pub(crate) const ALL: &[Architecture] = &Architecture::ALL;
pub(crate) const FUNCTION_URL: &[Architecture] = &[Architecture::FunctionUrl];
pub(crate) const WEBSOCKET_API: &[Architecture] = &[Architecture::WebsocketApi];
pub(crate) const APPSYNC: &[Architecture] = &[Architecture::Appsync];
pub(crate) const SENDERS: &[Architecture] = &[Architecture::WebsocketApi, Architecture::Appsync];

/// Every row, in order.
pub fn all() -> Vec<&'static Row> {
    let rows = [
        caps::ROWS,
        client::ROWS,
        gateway::ROWS,
        log::ROWS,
        model::ROWS,
        once::ROWS,
        queue::ROWS,
        stop::ROWS,
        store::ROWS,
    ];
    let mut rows: Vec<_> = rows.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.number);
    rows
}

impl Row {
    /// On the usual cloud, in the short run too.
    const fn new(
        number: u8,
        fault: &'static str,
        expected: &'static str,
        architectures: &'static [Architecture],
        play: fn(Architecture, &mut Rng) -> Scenario,
    ) -> Self {
        Self::playing(number, fault, expected, architectures, Play::Scenario(play))
    }

    const fn on(mut self, stage: Kind) -> Self {
        self.stage = stage;
        self
    }

    const fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    const fn playing(
        number: u8,
        fault: &'static str,
        expected: &'static str,
        architectures: &'static [Architecture],
        play: Play,
    ) -> Self {
        let (stage, slow, log, runs) = (Kind::Usual, false, Log::Either, Runs::Once);
        Self { number, fault, expected, architectures, stage, slow, log, runs, play }
    }

    const fn logged(mut self) -> Self {
        self.log = Log::There;
        self
    }

    const fn unlogged(mut self) -> Self {
        self.log = Log::Off;
        self
    }

    const fn runs(mut self, runs: Runs) -> Self {
        self.runs = runs;
        self
    }
}
