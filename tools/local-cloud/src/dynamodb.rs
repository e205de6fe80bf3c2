//! Amazon DynamoDB (AWS JSON 1.0 protocol), on tables whose keys are two strings.
//!
//! Absent on purpose: making tables, indexes, scans, batches, streams, projections and filters, sets and binaries,
//! list indexes in paths, consumed capacity in answers, and the parameters from before expressions. A request that
//! uses one of them is refused. Nothing expires by itself: AWS, too, may take days to delete what has.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use axum::Router;
use serde_json::Value;

use self::{
    error::DynamoDbError,
    number::Number,
    table::Table,
    transaction::Done,
    value::{AttributeValue, item_to_json},
};
use crate::{faults::Faults, lambda::clock, sigv4::Identities};

pub(crate) mod api;
mod error;
mod expression;
mod number;
mod operations;
mod request;
mod table;
#[cfg(test)]
mod tests;
mod transaction;
mod value;
mod write;

/// What Terraform calls `aws_dynamodb_table`. Both keys are strings.
#[derive(Debug, Clone)]
pub struct TableConfig {
    pub name: String,
    pub hash_key: String,
    pub range_key: String,
    /// The attribute with the time, in Unix seconds, at which an item may be deleted.
    pub ttl: String,
}

/// What a table on demand would be billed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metered {
    /// Read request units, of 4 KB, in halves: that is what an eventually consistent read costs.
    pub half_reads: u64,
    /// Write request units, of 1 KB.
    pub writes: u64,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct DynamoDb {
    inner: Arc<Inner>,
}

impl DynamoDb {
    pub fn new(tables: Vec<TableConfig>, identities: Identities, faults: Faults) -> Self {
        let tables = tables.into_iter().map(|config| (config.name.clone(), Table::new(config))).collect();
        let store = Store { tables, done: Done::default(), metered: Metered::default() };
        Self { inner: Arc::new(Inner { identities, faults, store: Mutex::new(store) }) }
    }

    /// `POST /` with `X-Amz-Target: DynamoDB_20120810.<operation>`.
    pub fn router(&self) -> Router {
        api::router(self.clone())
    }

    /// Of every call so far.
    pub fn metered(&self) -> Metered {
        self.lock().metered
    }

    /// The items of a partition in the order of their range keys, each as `{"attribute": {"S": "..."}}`. Panics if
    /// there is no such table.
    pub fn items(&self, table: &str, hash: &str) -> Vec<Value> {
        self.lock().tables[table].partition(hash).map(item_to_json).collect()
    }

    /// Deletes the items whose time has come, as AWS does sooner or later. Panics if there is no such table.
    pub fn expire(&self, table: &str) {
        let now = usize::try_from(clock::epoch_ms(SystemTime::now()) / 1000).unwrap_or(usize::MAX);
        let now = Number::from(now);
        let mut store = self.lock();
        let table = store.tables.get_mut(table).expect("a table of this service");
        let ttl = table.config.ttl.clone();
        table.delete_if(|item| matches!(item.get(&ttl), Some(AttributeValue::N(at)) if *at < now));
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.inner.store.lock().expect("nothing panics while it holds the tables")
    }
}

struct Inner {
    identities: Identities,
    faults: Faults,
    /// One lock for everything: a transaction is alone.
    store: Mutex<Store>,
}

struct Store {
    tables: HashMap<String, Table>,
    done: Done,
    metered: Metered,
}

impl Store {
    fn table(&self, name: &str) -> Result<&Table, DynamoDbError> {
        self.tables.get(name).ok_or(DynamoDbError::ResourceNotFound)
    }
}

impl Metered {
    /// Nothing found costs as much as something small.
    fn read(&mut self, size: usize, is_consistent: bool) {
        let units = (size.div_ceil(4096) as u64).max(1);
        self.half_reads += if is_consistent { 2 * units } else { units };
    }
}
