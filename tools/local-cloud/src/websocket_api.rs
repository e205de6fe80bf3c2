//! An API Gateway WebSocket API: authorizer on `$connect`, routes, and the `@connections` API.

use std::path::PathBuf;

use axum::Router;

use crate::{lambda::Lambda, sigv4::Identities};

/// Which function answers what.
#[derive(Debug, Clone)]
pub struct WebSocketApiConfig {
    pub stage: String,
    pub authorizer: String,
    /// Called for `$connect`, `$disconnect` and `$default`, as a proxy integration; what it returns for
    /// `$default` goes to the client (the route has a route response).
    pub session: String,
    /// Invoked asynchronously by the route `stream`, a non-proxy integration.
    pub stream: String,
    /// The request template of that integration, the very file that is deployed.
    pub stream_template: PathBuf,
}

/// One API, one stage.
#[derive(Clone)]
pub struct WebSocketApi {}

impl WebSocketApi {
    pub fn new(config: WebSocketApiConfig, lambda: Lambda, identities: Identities) -> Self {
        let _ = (config, lambda, identities);
        todo!()
    }

    /// `GET /{stage}` upgrades; `POST|GET|DELETE /{stage}/@connections/{id}` is the management API.
    pub fn router(&self) -> Router {
        todo!()
    }

    /// Accepted calls of PostToConnection so far.
    pub fn posts(&self) -> usize {
        todo!()
    }
}
