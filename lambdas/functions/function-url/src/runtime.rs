//! A loop of our own on the Lambda Runtime API, for one reason: `lambda_runtime` leaves Nagle's algorithm on
//! towards it, which together with delayed acknowledgements turns a stream of small chunks into bursts 40 ms
//! apart and holds the first token back as long. See `docs/adr/`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>

mod error;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, error::Error, panic::AssertUnwindSafe, pin::pin};

use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, StreamBody};
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::Diagnostic;
use lambda_runtime_api_client::{PooledClient, PooledClientBuilder, body::Body, build_request};
use startup::Causes;
use tokio::{select, sync::oneshot};
use tracing::{error, warn};

pub use self::error::RuntimeError;
use crate::responder::{Responder, Started};

/// Ends the prelude
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html>).
const PRELUDE_END: [u8; 8] = [0; 8];

/// One event and what Lambda says about it.
#[derive(Debug)]
pub struct Invocation {
    pub request_id: String,
    /// Milliseconds since the epoch, when the environment is killed.
    pub deadline_ms: u64,
    pub payload: Bytes,
}

/// The Lambda Runtime API over one kept-alive connection.
pub struct RuntimeApi(PooledClient);

impl RuntimeApi {
    /// The one that Lambda names in `AWS_LAMBDA_RUNTIME_API`.
    pub fn from_env() -> Self {
        Self(client().build())
    }

    pub fn at(endpoint: Uri) -> Self {
        Self(client().with_endpoint(endpoint).build())
    }
}

/// Handles events, one after the other, until the Runtime API is gone.
pub async fn run(
    RuntimeApi(api): &RuntimeApi,
    handle: impl AsyncFn(Invocation, Responder),
) -> Result<(), RuntimeError> {
    loop {
        let invocation = next(api).await?;
        let request_id = invocation.request_id.clone();
        if let Err(problem) = serve(api, &handle, invocation).await {
            // This answer is lost; the environment is not.
            error!(request_id, error = Causes(&problem).to_string(), "no answer was delivered");
        }
    }
}

/// Passes a successful start on, and reports a failed one before the process ends.
pub async fn or_report_init_error<T, E>(RuntimeApi(api): &RuntimeApi, assembled: Result<T, E>) -> Result<T, E>
where
    E: AsRef<dyn Error + Send + Sync + 'static>,
{
    if let Err(problem) = &assembled {
        let problem = Causes(problem.as_ref()).to_string();
        error!(error = problem, "the function cannot start");
        let report = diagnostic("Runtime.InitError", &problem);
        let _ = post(api, "/2018-06-01/runtime/init/error", "Runtime.InitError", report).await;
    }
    assembled
}

fn client() -> PooledClientBuilder {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    PooledClient::builder().with_connector(connector).with_pool_size(1)
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
    let deadline = header(&parts.headers, "lambda-runtime-deadline-ms")?;
    Ok(Invocation {
        request_id: request_id.to_owned(),
        deadline_ms: deadline.parse().map_err(|_| RuntimeError::Header("lambda-runtime-deadline-ms"))?,
        payload: body.collect().await.map_err(|broken| RuntimeError::Gone(broken.into()))?.to_bytes(),
    })
}

async fn serve(
    api: &PooledClient,
    handle: &impl AsyncFn(Invocation, Responder),
    invocation: Invocation,
) -> Result<(), RuntimeError> {
    let Invocation { request_id, deadline_ms, .. } = &invocation;
    let (request_id, deadline_ms) = (request_id.clone(), *deadline_ms);
    let (start, started) = oneshot::channel();
    // A panic is this answer's end, not the environment's.
    let mut handler = pin!(AssertUnwindSafe(handle(invocation, Responder { start })).catch_unwind());
    let mut started = pin!(started);
    // A short answer is whole before anybody looks; a handler that is done must not be polled again.
    let (begun, early_result) = select! {
        biased;
        started = &mut started => (started.ok(), None),
        result = &mut handler => (started.await.ok(), Some(result)),
    };
    let Some(Started { head, frames, sender }) = begun else {
        let path = format!("/2018-06-01/runtime/invocation/{request_id}/error");
        post(api, &path, "Runtime.Panic", diagnostic("Runtime.Panic", "the handler ended without an answer"))
            .await?;
        return Err(RuntimeError::NoAnswer);
    };
    let prelude = serde_json::to_vec(&head)?;
    let mut delivery = pin!(api.call(response(&request_id, prelude, frames)?));
    // Runs beside the delivery to its last word: that one waits until the words before it are delivered.
    let mut finish = pin!(async {
        let result = match early_result {
            Some(result) => result,
            None => handler.await,
        };
        if result.is_err() {
            let _ = sender.break_off("Runtime.Panic").await;
        }
        drop(sender);
    });
    let delivered = select! {
        () = &mut finish => {
            // A slow reader may still have most of the answer before him.
            let remaining = startup::remaining(deadline_ms);
            tokio::time::timeout(remaining, delivery).await.map_err(|_| RuntimeError::NotRead)?
        }
        // Before the handler is done: the Runtime API does not want the rest. The handler sees that its body is
        // closed, and knows whether anybody else does.
        delivered = &mut delivery => {
            finish.await;
            delivered
        }
    };
    let status = delivered.map_err(RuntimeError::Gone)?.status();
    if status != StatusCode::ACCEPTED {
        warn!(request_id, status = status.as_u16(), "the Runtime API did not accept the answer");
    }
    Ok(())
}

/// The streaming response. Prelude and separator leave in one chunk, and at once, whatever the body waits for.
fn response(
    request_id: &str,
    mut prelude: Vec<u8>,
    frames: tokio::sync::mpsc::Receiver<http_body::Frame<Bytes>>,
) -> Result<Request<Body>, RuntimeError> {
    prelude.extend_from_slice(&PRELUDE_END);
    let first = stream::iter([Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(prelude)))]);
    let rest =
        stream::unfold(frames, async |mut frames| frames.recv().await.map(|frame| (Ok(frame), frames)));
    let body = StreamBody::new(futures_util::StreamExt::chain(first, rest));
    let request = build_request()
        .method(Method::POST)
        .uri(format!("/2018-06-01/runtime/invocation/{request_id}/response"))
        .header("content-type", "application/vnd.awslambda.http-integration-response")
        .header("lambda-runtime-function-response-mode", "streaming")
        .header("transfer-encoding", "chunked")
        // hyper drops a trailer that was not announced.
        .header("trailer", "lambda-runtime-function-error-type, lambda-runtime-function-error-body")
        .body(Body::new(body))?;
    Ok(request)
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
