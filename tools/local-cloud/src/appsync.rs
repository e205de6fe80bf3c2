//! An AppSync GraphQL API: the deployed schema and resolvers, Cognito and IAM authorization, and the realtime
//! protocol.
//!
//! Absent on purpose: API keys, OIDC and Lambda authorization, Cognito groups, pipeline resolvers, caching, data
//! sources other than NONE and Lambda, subscriptions by IAM callers, and the connection limits of AppSync.

#![allow(clippy::doc_markdown, reason = "AppSync and APPSYNC_JS are names, not code")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use apollo_compiler::executable::OperationType;
use axum::{
    Json, Router,
    body::to_bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use self::{
    auth::{Authority, Caller, Services, SignedRequest, Unauthenticated, authenticate},
    document::{Refusal, Request},
    execute::execute,
    fault::refused,
    hub::Hub,
    resolve::Invoke,
    schema::ApiSchema,
};
use crate::{cognito::UserPool, lambda::Lambda, sigv4::Identities};

mod auth;
mod document;
mod engine;
mod execute;
mod fault;
mod filter;
mod handshake;
mod hub;
mod projection;
mod realtime;
mod resolve;
mod schema;
#[cfg(test)]
mod tests;

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
pub struct AppSync {
    api: Arc<Api>,
}

impl AppSync {
    pub fn new(
        config: AppSyncConfig,
        user_pool: UserPool,
        identities: Identities,
        lambda: Lambda,
    ) -> anyhow::Result<Self> {
        let AppSyncConfig { schema, resolvers, request_function } = config;
        let schema = ApiSchema::load(&schema, &resolvers)?;
        let invoke: Invoke = Arc::new(move |payload| {
            let (lambda, function) = (lambda.clone(), request_function.clone());
            Box::pin(async move { lambda.invoke(&function, payload).await })
        });
        Ok(Self::assemble(schema, Box::new(Services { user_pool, identities }), invoke))
    }

    /// `POST /graphql`, and `GET /graphql` upgrades to the realtime protocol.
    pub fn router(&self) -> Router {
        let graphql = post(graphql).options(preflight).merge(get(connect));
        Router::new().route("/graphql", graphql).with_state(Arc::clone(&self.api))
    }

    /// Accepted `publishToken` mutations so far.
    pub fn publishes(&self) -> usize {
        self.api.publishes.load(Ordering::SeqCst)
    }

    /// Subscriptions that are registered now, over all sockets.
    pub fn subscriptions(&self) -> usize {
        self.api.hub.len()
    }

    /// The next `times` calls of `publishToken` answer HTTP 200 with GraphQL errors, and publish nothing.
    pub fn fail_publishes(&self, times: usize) {
        self.api.failures.store(times, Ordering::SeqCst);
    }

    fn assemble(schema: ApiSchema, authority: Box<dyn Authority>, invoke: Invoke) -> Self {
        let (hub, publishes, failures) = (Hub::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        Self { api: Arc::new(Api { schema, authority, invoke, hub, publishes, failures }) }
    }
}

struct Api {
    schema: ApiSchema,
    authority: Box<dyn Authority>,
    invoke: Invoke,
    hub: Hub,
    publishes: AtomicUsize,
    failures: AtomicUsize,
}

impl Api {
    /// Uses up one of the failures that a test has asked for.
    fn takes_failure(&self) -> bool {
        self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    async fn answer(&self, request: SignedRequest) -> (StatusCode, Value) {
        let headers = header_map(&request.headers);
        let body = request.body.clone();
        let caller = match authenticate(&*self.authority, request) {
            Ok(caller) => caller,
            Err(Unauthenticated { error_type, message }) => {
                return (StatusCode::UNAUTHORIZED, refused(error_type, &message));
            }
        };
        match Request::parse(&self.schema, &body) {
            Ok(request) if request.kind() == OperationType::Subscription => {
                let message = "Subscriptions are for the realtime endpoint.";
                (StatusCode::BAD_REQUEST, refused("UnsupportedOperation", message))
            }
            Ok(request) => (StatusCode::OK, self.run(&request, &caller, &headers).await),
            Err(Refusal::Malformed(body)) => (StatusCode::BAD_REQUEST, body),
            Err(Refusal::Invalid(body)) => (StatusCode::OK, body),
        }
    }

    /// Subscribers are served before the mutation is answered, so that one caller's events stay in order.
    async fn run(&self, request: &Request, caller: &Caller, headers: &Value) -> Value {
        let outcome = execute(self, request, caller, headers).await;
        for published in &outcome.published {
            self.publishes.fetch_add(1, Ordering::SeqCst);
            self.hub.publish(&self.schema, published);
        }
        outcome.response
    }
}

/// "AWS AppSync endpoints and quotas".
const BODY_LIMIT: usize = 1 << 20;

async fn graphql(State(api): State<Arc<Api>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        let body = refused("RequestEntityTooLargeException", "A request may have 1 MB.");
        return reply(StatusCode::PAYLOAD_TOO_LARGE, body);
    };
    let request = SignedRequest { method: parts.method, uri: parts.uri, headers: parts.headers, body };
    let (status, body) = api.answer(request).await;
    reply(status, body)
}

async fn connect(State(api): State<Arc<Api>>, request: axum::extract::Request) -> Response {
    handshake::upgrade(api, request.into_parts().0)
}

/// AppSync allows every origin; what protects it is that it takes no cookies.
async fn preflight(headers: HeaderMap) -> impl IntoResponse {
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HeaderValue::from_static("*"))),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800")),
    ]
}

fn reply(status: StatusCode, body: Value) -> Response {
    let error_type = match status {
        StatusCode::OK => None,
        _ => body["errors"][0]["errorType"].as_str().and_then(|name| HeaderValue::from_str(name).ok()),
    };
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(error_type) = error_type {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), error_type);
    }
    response
}

/// `ctx.request.headers`
fn header_map(headers: &HeaderMap) -> Value {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?)))
    };
    Value::Object(headers.iter().filter_map(text).collect::<Map<_, _>>())
}
