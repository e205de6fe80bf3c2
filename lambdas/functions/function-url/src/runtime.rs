//! A loop of our own on the Lambda Runtime API, for one reason: `lambda_runtime` leaves Nagle's algorithm on
//! towards it, which together with delayed acknowledgements turns a stream of small chunks into bursts 40 ms
//! apart and holds the first token back as long. See `docs/adr/`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::Diagnostic;
use lambda_runtime_api_client::{PooledClient, body::Body, build_request};
use tokio::{select, sync::oneshot};
use tracing::{error, warn};

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

/// Handles events, one after the other, until the Runtime API is gone.
pub async fn run(handle: impl AsyncFn(Invocation, Responder)) -> anyhow::Result<()> {
    let api = api();
    loop {
        let invocation = next(&api).await?;
        let request_id = invocation.request_id.clone();
        if let Err(problem) = serve(&api, &handle, invocation).await {
            // This answer is lost; the environment is not.
            error!(request_id, error = format!("{problem:#}"), "no answer was delivered");
        }
    }
}

/// Passes a successful start on, and reports a failed one before the process ends.
pub async fn or_report_init_error<T>(assembled: anyhow::Result<T>) -> anyhow::Result<T> {
    if let Err(problem) = &assembled {
        error!(error = format!("{problem:#}"), "the function cannot start");
        let report = diagnostic("Runtime.InitError", &format!("{problem:#}"));
        let _ = post(&api(), "/2018-06-01/runtime/init/error", "Runtime.InitError", report).await;
    }
    assembled
}

fn api() -> PooledClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    PooledClient::builder().with_connector(connector).with_pool_size(1).build()
}

async fn next(api: &PooledClient) -> anyhow::Result<Invocation> {
    let request = build_request()
        .method(Method::GET)
        .uri("/2018-06-01/runtime/invocation/next")
        .body(Body::empty())
        .context("the request for the next event")?;
    let response =
        api.call(request).await.map_err(anyhow::Error::from_boxed).context("the Runtime API is gone")?;
    if !response.status().is_success() {
        bail!("the Runtime API answered {} for the next event", response.status());
    }
    let (parts, body) = response.into_parts();
    let text = |name| header(&parts.headers, name).with_context(|| format!("an event without {name}"));
    Ok(Invocation {
        request_id: text("lambda-runtime-aws-request-id")?.to_owned(),
        deadline_ms: text("lambda-runtime-deadline-ms")?.parse().context("the deadline")?,
        payload: body.collect().await.context("the event broke off")?.to_bytes(),
    })
}

async fn serve(
    api: &PooledClient,
    handle: &impl AsyncFn(Invocation, Responder),
    invocation: Invocation,
) -> anyhow::Result<()> {
    let request_id = invocation.request_id.clone();
    let remaining = startup::remaining(invocation.deadline_ms);
    let (start, started) = oneshot::channel();
    // A panic is this answer's end, not the environment's.
    let mut handler = pin!(AssertUnwindSafe(handle(invocation, Responder { start })).catch_unwind());
    let mut started = pin!(started);
    let mut ended = None;
    let begun = select! {
        biased;
        started = &mut started => started.ok(),
        end = &mut handler => {
            ended = Some(end);
            started.await.ok()
        }
    };
    let Some(Started { head, frames, sender }) = begun else {
        let path = format!("/2018-06-01/runtime/invocation/{request_id}/error");
        post(api, &path, "Runtime.Panic", diagnostic("Runtime.Panic", "the handler ended without an answer"))
            .await?;
        bail!("the handler ended without an answer");
    };
    let prelude = serde_json::to_vec(&head).context("the response's head")?;
    let mut delivery = pin!(api.call(response(&request_id, prelude, frames)?));
    // A short answer is complete before its delivery begins.
    let handled = async {
        match ended {
            Some(end) => end,
            None => handler.await,
        }
    };
    let delivered = select! {
        handled = handled => {
            if handled.is_err() {
                let _ = sender.break_off("Runtime.Panic").await;
            }
            drop(sender);
            // A slow reader may still have most of the answer before him.
            tokio::time::timeout(remaining, delivery).await.context("the answer was not read in time")?
        }
        // Before the handler is done: the Runtime API does not want the rest. The handler is dropped with this
        // function, and with it the model's connection.
        delivered = &mut delivery => delivered,
    };
    let status = delivered
        .map_err(anyhow::Error::from_boxed)
        .context("the Runtime API closed the connection")?
        .status();
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
) -> anyhow::Result<Request<Body>> {
    prelude.extend_from_slice(&PRELUDE_END);
    let first = stream::iter([Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(prelude)))]);
    let rest =
        stream::unfold(frames, async |mut frames| frames.recv().await.map(|frame| (Ok(frame), frames)));
    let body = StreamBody::new(futures_util::StreamExt::chain(first, rest));
    build_request()
        .method(Method::POST)
        .uri(format!("/2018-06-01/runtime/invocation/{request_id}/response"))
        .header("content-type", "application/vnd.awslambda.http-integration-response")
        .header("lambda-runtime-function-response-mode", "streaming")
        .header("transfer-encoding", "chunked")
        // hyper drops a trailer that was not announced.
        .header("trailer", "lambda-runtime-function-error-type, lambda-runtime-function-error-body")
        .body(Body::new(body))
        .context("the response")
}

async fn post(api: &PooledClient, path: &str, error_type: &str, body: Vec<u8>) -> anyhow::Result<()> {
    let request = build_request()
        .method(Method::POST)
        .uri(path)
        .header("lambda-runtime-function-error-type", error_type)
        .body(Body::from(body))
        .context("the error report")?;
    api.call(request).await.map_err(anyhow::Error::from_boxed).context("the error report was not taken")?;
    Ok(())
}

fn diagnostic(error_type: &str, message: &str) -> Vec<u8> {
    let diagnostic = Diagnostic { error_type: error_type.into(), error_message: message.into() };
    serde_json::to_vec(&diagnostic).expect("two strings always serialize")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
