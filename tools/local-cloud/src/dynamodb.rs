//! Amazon DynamoDB (AWS JSON 1.0 protocol), on tables whose keys are two strings.
//!
//! Absent on purpose: making tables, indexes, scans, batches, streams, projections and filters, sets and binaries,
//! list indexes in paths, and the parameters from before expressions. A request that uses one of them is refused.

use std::sync::Arc;

use axum::Router;

use crate::{faults::Faults, sigv4::Identities};

pub(crate) mod api;
mod error;

/// What Terraform calls `aws_dynamodb_table`. Both keys are strings.
#[derive(Debug, Clone)]
pub struct TableConfig {
    pub name: String,
    pub hash_key: String,
    pub range_key: String,
    /// The attribute with the time, in Unix seconds, at which an item may be deleted.
    pub ttl: String,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct DynamoDb {
    inner: Arc<Inner>,
}

impl DynamoDb {
    pub fn new(_tables: Vec<TableConfig>, identities: Identities, faults: Faults) -> Self {
        Self { inner: Arc::new(Inner { identities, faults }) }
    }

    /// `POST /` with `X-Amz-Target: DynamoDB_20120810.<operation>`.
    pub fn router(&self) -> Router {
        api::router(self.clone())
    }
}

struct Inner {
    identities: Identities,
    faults: Faults,
}
