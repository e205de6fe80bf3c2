//! A loop of our own on the Lambda Runtime API, for one reason: `lambda_runtime` leaves Nagle's algorithm on
//! towards it, which together with delayed acknowledgements turns a stream of small chunks into bursts 40 ms
//! apart and holds the first token back as long. See `docs/adr/`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>

pub(crate) mod delivery;
mod error;
#[cfg(test)]
mod tests;

use std::{error::Error, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::BodyExt as _;
use lambda_runtime::Diagnostic;
use lambda_runtime_api_client::{PooledClient, body::Body, build_request};
use startup::Causes;
use tokio::time::timeout;
use tracing::{error, warn};

use self::delivery::{Connection, Delivery};
pub use self::error::RuntimeError;
use crate::responder::Responder;

/// One event and what Lambda says about it.
#[derive(Debug)]
pub struct Invocation {
    pub request_id: String,
    /// Milliseconds since the epoch, when the environment is killed.
    pub deadline_ms: u64,
    pub payload: Bytes,
}

/// The Lambda Runtime API.
pub struct RuntimeApi {
    /// For everything but answers, which need no haste.
    client: PooledClient,
    /// Kept from one answer to the next.
    connection: Option<Arc<Connection>>,
}

impl RuntimeApi {
    /// The one that Lambda names in `AWS_LAMBDA_RUNTIME_API`.
    pub fn from_env() -> Self {
        Self { client: PooledClient::builder().with_pool_size(1).build(), connection: None }
    }

    pub fn at(endpoint: Uri) -> Self {
        let client = PooledClient::builder().with_endpoint(endpoint).with_pool_size(1).build();
        Self { client, connection: None }
    }

    async fn connection(&mut self) -> Result<Arc<Connection>, RuntimeError> {
        if let Some(connection) = self.connection.take().filter(|kept| kept.is_idle()) {
            return Ok(connection);
        }
        let authority = self.client.base.authority().map_or("", |authority| authority.as_str());
        Connection::open(authority).await.map(Arc::new).map_err(|error| RuntimeError::Gone(error.into()))
    }
}

/// Handles events, one after the other, until the Runtime API is gone.
pub async fn run<F: Future<Output = ()>>(
    mut api: RuntimeApi,
    handle: impl Fn(Invocation, Responder) -> F,
) -> Result<(), RuntimeError> {
    loop {
        let invocation = next(&api.client).await?;
        let request_id = invocation.request_id.clone();
        if let Err(problem) = serve(&mut api, &handle, invocation).await {
            // This answer is lost; the environment is not.
            error!(request_id, error = Causes(&problem).to_string(), "no answer was delivered");
        }
    }
}

/// Passes a successful start on, and reports a failed one before the process ends.
pub async fn or_report_init_error<T, E>(api: &RuntimeApi, assembled: Result<T, E>) -> Result<T, E>
where
    E: AsRef<dyn Error + Send + Sync + 'static>,
{
    if let Err(problem) = &assembled {
        let problem = Causes(problem.as_ref()).to_string();
        error!(error = problem, "the function cannot start");
        let report = diagnostic("Runtime.InitError", &problem);
        let _ = post(&api.client, "/2018-06-01/runtime/init/error", "Runtime.InitError", report).await;
    }
    assembled
}

async fn next(api: &PooledClient) -> Result<Invocation, RuntimeError> {
    let request =
        build_request().method(Method::GET).uri("/2018-06-01/runtime/invocation/next").body(Body::empty())?;
    let response = api.call(request).await.map_err(RuntimeError::Gone)?;
    if !response.status().is_success() {
        return Err(RuntimeError::NoEvent(response.status()));
    }
    let (parts, body) = response.into_parts();
    let request_id = header(&parts.headers, "lambda-runtime-aws-request-id")?;
    // It becomes a part of a path.
    if !request_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(RuntimeError::Header("lambda-runtime-aws-request-id"));
    }
    let deadline = header(&parts.headers, "lambda-runtime-deadline-ms")?;
    Ok(Invocation {
        request_id: request_id.to_owned(),
        deadline_ms: deadline.parse().map_err(|_| RuntimeError::Header("lambda-runtime-deadline-ms"))?,
        payload: body.collect().await.map_err(|broken| RuntimeError::Gone(broken.into()))?.to_bytes(),
    })
}

async fn serve<F: Future<Output = ()>>(
    api: &mut RuntimeApi,
    handle: impl Fn(Invocation, Responder) -> F,
    invocation: Invocation,
) -> Result<(), RuntimeError> {
    let connection = api.connection().await?;
    let (request_id, deadline_ms) = (invocation.request_id.clone(), invocation.deadline_ms);
    let delivery = Arc::new(Delivery::new(connection.clone(), request_id.clone()));
    // A panic is this answer's end, not the environment's.
    let handled = AssertUnwindSafe(async { handle(invocation, Responder(delivery.clone())).await });
    let panicked = handled.catch_unwind().await.is_err();
    if !delivery.has_begun() {
        let path = format!("/2018-06-01/runtime/invocation/{request_id}/error");
        let report = diagnostic("Runtime.Panic", "the handler ended without an answer");
        post(&api.client, &path, "Runtime.Panic", report).await?;
        api.connection = Some(connection);
        return Err(RuntimeError::NoAnswer);
    }
    // A slow reader may still have most of the answer before him.
    let verdict = timeout(startup::remaining(deadline_ms), async {
        if panicked {
            let _ = delivery.break_off("Runtime.Panic").await;
        }
        delivery.finish().await
    });
    let verdict = verdict.await.map_err(|_| RuntimeError::NotRead)??;
    if verdict.keeps_connection {
        api.connection = Some(connection);
    }
    if verdict.status != StatusCode::ACCEPTED {
        warn!(request_id, status = verdict.status.as_u16(), "the Runtime API did not accept the answer");
    }
    Ok(())
}

async fn post(api: &PooledClient, path: &str, error_type: &str, body: Vec<u8>) -> Result<(), RuntimeError> {
    let request = build_request()
        .method(Method::POST)
        .uri(path)
        .header("lambda-runtime-function-error-type", error_type)
        .body(Body::from(body))?;
    api.call(request).await.map_err(RuntimeError::Gone)?;
    Ok(())
}

fn diagnostic(error_type: &str, message: &str) -> Vec<u8> {
    let diagnostic = Diagnostic { error_type: error_type.into(), error_message: message.into() };
    serde_json::to_vec(&diagnostic).expect("two strings always serialize")
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, RuntimeError> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(RuntimeError::Header(name))
}
