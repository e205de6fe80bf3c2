//! The faults, by number. Each row makes scenarios from a seed.

use fastrand::Rng;
use futures_util::future::LocalBoxFuture;
use probe::Architecture;

use crate::{
    check::Breach,
    scenario::Scenario,
    stage::{Kind, Stage},
};

mod client;
mod gateway;
mod model;
mod own;
mod queue;

pub struct Row {
    pub number: u8,
    pub fault: &'static str,
    /// What comes of it.
    pub expected: &'static str,
    pub architectures: &'static [Architecture],
    pub stage: Kind,
    /// Takes longer than a few seconds: for the long run alone.
    pub slow: bool,
    pub play: Play,
}

pub type Own = for<'s> fn(&'s Stage, u64) -> LocalBoxFuture<'s, Vec<Breach>>;

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
    let mut rows: Vec<_> =
        [client::ROWS, gateway::ROWS, model::ROWS, queue::ROWS].into_iter().flatten().collect();
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
        let play = Play::Scenario(play);
        Self { number, fault, expected, architectures, stage: Kind::Usual, slow: false, play }
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
        Self { number, fault, expected, architectures, stage: Kind::Usual, slow: false, play }
    }
}
