//! An AppSync GraphQL API: the deployed schema and resolvers, Cognito and IAM authorization, and the realtime
//! protocol.

use std::path::PathBuf;

use axum::Router;

use crate::{cognito::UserPool, lambda::Lambda, sigv4::Identities};

/// Where the deployed files are and which function is the Lambda data source.
#[derive(Debug, Clone)]
pub struct AppSyncConfig {
    pub schema: PathBuf,
    /// The folder of `<field>.js`.
    pub resolvers: PathBuf,
    pub request_function: String,
}

/// One API. Cheap to clone.
#[derive(Clone)]
pub struct AppSync {}

impl AppSync {
    pub fn new(
        config: AppSyncConfig,
        user_pool: UserPool,
        identities: Identities,
        lambda: Lambda,
    ) -> anyhow::Result<Self> {
        let _ = (config, user_pool, identities, lambda);
        todo!()
    }

    /// `POST /graphql`, and `GET /graphql` upgrades to the realtime protocol.
    pub fn router(&self) -> Router {
        todo!()
    }

    /// Accepted `publishToken` mutations so far.
    pub fn publishes(&self) -> usize {
        todo!()
    }
}
