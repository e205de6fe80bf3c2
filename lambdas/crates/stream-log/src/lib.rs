//! Every answer in a table: claimed before it is paid for, kept while it streams, stopped and resumed by its owner.
//!
//! [`StreamLog::claim`] decides who answers, [`Keeper::keep`] runs the answer and writes the log beside it,
//! [`StreamLog::find`] reads it back. Events go to the client first; the log never holds one up. Without a table all of
//! this is passed over: everything can be claimed, nothing is found.

#![forbid(unsafe_code)]

mod chunk;
mod claim;
mod dynamodb;
mod follow;
mod keeper;
#[cfg(test)]
mod memory;
mod pace;
mod recording;
mod records;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod usage;
mod writer;

pub use claim::{Begun, Claim, ClaimError, Queued};
pub use dynamodb::DynamoDb;
pub use follow::Following;
pub use keeper::{Attempt, Keeper};
pub use recording::Recording;
pub use settings::from_settings;
pub use store::{
    Chunk, Finish, Head, Key, Notes, Page, Phase, Rights, Settle, Store, StoreError, Take, Taken,
};
pub use usage::{Caps, Over, Reservation, Usage};

use std::time::Duration;

use startup::Ledger;

/// The log, or its absence: it can be switched off.
#[derive(Debug, Clone)]
pub struct StreamLog<S>(Option<Log<S>>);

#[derive(Debug, Clone)]
pub(crate) struct Log<S> {
    store: S,
    options: Options,
    ledger: Ledger,
}

/// What the operator chooses.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long a stream can be resumed.
    pub retention: Duration,
    pub caps: Caps,
    /// How long an answer goes on after its client has gone, for somebody to resume it; zero: not at all.
    pub abandon_after: Duration,
}

impl<S> StreamLog<S> {
    pub fn new(store: S, options: Options, ledger: Ledger) -> Self {
        Self(Some(Log { store, options, ledger }))
    }

    pub fn off() -> Self {
        Self(None)
    }
}
