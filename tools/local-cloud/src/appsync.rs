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
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use self::{
    auth::{Authority, Caller, Services, SignedRequest, Unauthenticated, authenticate},
    document::{Refusal, Request},
    execute::execute,
    fault::{Fault, refused},
    hub::Hub,
    resolve::Invoke,
    schema::ApiSchema,
};
use crate::{
    cognito::UserPool,
    faults::{
        Faults, Plane,
        calls::{self, Calls},
    },
    lambda::Lambda,
    sigv4::Identities,
};

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
        faults: Faults,
    ) -> anyhow::Result<Self> {
        let AppSyncConfig { schema, resolvers, request_function } = config;
        let schema = ApiSchema::load(&schema, &resolvers)?;
        let invoke: Invoke = Arc::new(move |payload| {
            let (lambda, function) = (lambda.clone(), request_function.clone());
            Box::pin(async move { lambda.invoke(&function, payload).await })
        });
        Ok(Self::assemble(schema, Box::new(Services { user_pool, identities }), invoke, faults))
    }

    /// `POST /graphql`, and `GET /graphql` upgrades to the realtime protocol.
    pub fn router(&self) -> Router {
        let faults = Calls::new(&self.api.faults, Plane::Publishes);
        let mutations = post(graphql).layer(from_fn_with_state(faults, calls::meet));
        let graphql = mutations.options(preflight).merge(get(connect));
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

    fn assemble(schema: ApiSchema, authority: Box<dyn Authority>, invoke: Invoke, faults: Faults) -> Self {
        let (hub, publishes) = (Hub::new(faults.clone()), AtomicUsize::new(0));
        Self { api: Arc::new(Api { schema, authority, invoke, hub, publishes, faults }) }
    }
}

struct Api {
    schema: ApiSchema,
    authority: Box<dyn Authority>,
    invoke: Invoke,
    hub: Hub,
    publishes: AtomicUsize,
    faults: Faults,
}

impl Api {
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

/// What a mutation is answered that fails with this status: 200 is GraphQL's own way to fail.
pub(crate) fn refusal(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fault = match status.as_u16() {
        401 => "UnauthorizedException",
        403 => "AccessDeniedException",
        429 => "TooManyRequestsException",
        503 => "ServiceUnavailableException",
        _ => "InternalFailure",
    };
    let message = "Refused as planned in this local service.";
    if status == StatusCode::OK {
        let error = Fault::new(fault, message).to_json(&json!(["publishToken"]), &json!([]));
        return reply(status, json!({ "data": { "publishToken": null }, "errors": [error] }));
    }
    reply(status, refused(fault, message))
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
