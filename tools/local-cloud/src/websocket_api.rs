//! An API Gateway WebSocket API: authorizer on `$connect`, routes, and the `@connections` API.
//!
//! Sources: "Working with WebSocket APIs" and "Quotas for configuring and running a WebSocket API" of the API
//! Gateway developer guide.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{any, get},
};
use http::{HeaderMap, Method, Uri};

use self::{
    connection::Connection,
    template::{Template, TemplateError},
};
use crate::{
    faults::{
        Faults, Plane,
        calls::{self, Calls},
    },
    lambda::Lambda,
    sigv4::{Denied, Identities},
};

mod authorizer;
mod connection;
mod events;
pub(crate) mod management;
mod messages;
mod socket;
mod template;
#[cfg(test)]
mod tests;
mod upgrade;

/// How long a connection may be silent in both directions.
pub const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
/// How long a connection may last.
pub const MAX_DURATION: Duration = Duration::from_hours(2);

/// The largest frame, in bytes.
const MAX_FRAME: usize = 32 * 1024;
/// The largest message in either direction, in bytes.
const MAX_MESSAGE: usize = 128 * 1024;

/// Which function answers what.
#[derive(Debug, Clone)]
pub struct WebSocketApiConfig {
    pub stage: String,
    pub authorizer: String,
    /// Called for `$connect`, `$disconnect`, `$default` and `cancel`, as a proxy integration; what it returns for
    /// the last two goes to the client (they have route responses).
    pub session: String,
    /// Invoked asynchronously by the routes `stream` and `resume`, a non-proxy integration.
    pub stream: String,
    /// The request template of that integration, the very file that is deployed.
    pub stream_template: PathBuf,
    /// `IDLE_TIMEOUT`, unless a test cannot wait that long.
    pub idle_timeout: Duration,
    /// `MAX_DURATION`, unless a test cannot wait that long.
    pub max_duration: Duration,
}

/// One API, one stage.
#[derive(Clone)]
pub struct WebSocketApi {
    api: Arc<Api>,
}

impl WebSocketApi {
    /// # Panics
    ///
    /// If `try_new` fails.
    pub fn new(config: WebSocketApiConfig, lambda: Lambda, identities: Identities, faults: Faults) -> Self {
        Self::try_new(config, lambda, identities, faults).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Fails on a template that cannot be read, says what this does not know, or does not render JSON.
    pub fn try_new(
        config: WebSocketApiConfig,
        lambda: Lambda,
        identities: Identities,
        faults: Faults,
    ) -> Result<Self, TemplateError> {
        Self::guarded_by(config, lambda, faults, move |method, uri, headers, body| {
            let action = "execute-api:ManageConnections";
            identities.authorize(method, uri, headers, body, "execute-api", action).map(drop)
        })
    }

    /// `GET /{stage}` upgrades; `POST|GET|DELETE /{stage}/@connections/{id}` is the management API.
    pub fn router(&self) -> Router {
        let stage = &self.api.config.stage;
        let faults = Calls::new(&self.api.faults, Plane::Posts);
        let connections = any(management::answer).layer(from_fn_with_state(faults, calls::meet));
        Router::new()
            .route(&format!("/{stage}"), get(upgrade::connect))
            .route(&format!("/{stage}/@connections/{{id}}"), connections)
            .with_state(Arc::clone(&self.api))
    }

    /// Accepted calls of `PostToConnection` so far.
    pub fn posts(&self) -> usize {
        self.api.posts.load(Ordering::Relaxed)
    }

    /// With any other gate in front of `@connections`.
    fn guarded_by(
        config: WebSocketApiConfig,
        lambda: Lambda,
        faults: Faults,
        gate: impl Fn(&Method, &Uri, &HeaderMap, &[u8]) -> Result<(), Denied> + Send + Sync + 'static,
    ) -> Result<Self, TemplateError> {
        let template = Template::read(&config.stream_template)?;
        let api = Api {
            config,
            lambda,
            template,
            gate: Box::new(gate),
            connections: Mutex::default(),
            posts: AtomicUsize::new(0),
            faults,
        };
        Ok(Self { api: Arc::new(api) })
    }
}

type Gate = dyn Fn(&Method, &Uri, &HeaderMap, &[u8]) -> Result<(), Denied> + Send + Sync;

struct Api {
    config: WebSocketApiConfig,
    lambda: Lambda,
    template: Template,
    gate: Box<Gate>,
    connections: Mutex<HashMap<String, Arc<Connection>>>,
    posts: AtomicUsize,
    faults: Faults,
}

impl Api {
    fn connections(&self) -> MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.connections.lock().expect("nothing panics while it holds the connections")
    }
}
