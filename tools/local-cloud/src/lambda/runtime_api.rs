//! The endpoints of "Using the Lambda runtime API for custom runtimes", for one environment.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{net::TcpStream, sync::mpsc};
use uuid::Uuid;

use super::{
    InvokeError, MAX_PAYLOAD, clock,
    environment::{Environment, Life},
    invocation::Report,
    response,
};

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped")]
pub(super) struct Dropped;

pub(super) async fn serve(environment: Arc<Environment>, stream: TcpStream) {
    // Small chunks must not wait for the acknowledgement of the last.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| handle(Arc::clone(&environment), request));
    // A bootstrap may close its connection at any time; what that means is judged where its body is read.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

/// What a function says about its failure, in `/error`, `/init/error` and the stream's error trailer.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorReport {
    pub(super) error_type: String,
    pub(super) error_message: String,
}

enum Endpoint {
    Next,
    Response(String),
    Error(String),
    InitError,
}

async fn handle(
    environment: Arc<Environment>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let Some(endpoint) = endpoint(request.method(), request.uri().path()) else {
        return Ok(refusal(StatusCode::NOT_FOUND, "Runtime.NoSuchEndpoint"));
    };
    match endpoint {
        Endpoint::Next => next(&environment).await,
        // In tasks of their own: the connection may end, and its handlers with it, while what has arrived
        // is still to be forwarded.
        Endpoint::Response(id) => spawned(answer(environment, id, request)).await,
        Endpoint::Error(id) => spawned(fail(environment, id, request)).await,
        Endpoint::InitError => {
            let report = error_report(request).await;
            Ok(if environment.fail_init(format!("{}: {}", report.error_type, report.error_message)) {
                accepted()
            } else {
                refusal(StatusCode::FORBIDDEN, "InvalidStateTransition")
            })
        }
    }
}

fn endpoint(method: &Method, path: &str) -> Option<Endpoint> {
    let path = path.strip_prefix("/2018-06-01/runtime/")?;
    let parts: Vec<&str> = path.split('/').collect();
    match (method, parts.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => Some(Endpoint::Next),
        (&Method::POST, ["invocation", id, "response"]) => Some(Endpoint::Response((*id).to_owned())),
        (&Method::POST, ["invocation", id, "error"]) => Some(Endpoint::Error((*id).to_owned())),
        (&Method::POST, ["init", "error"]) => Some(Endpoint::InitError),
        _ => None,
    }
}

async fn spawned(
    work: impl Future<Output = Result<Response<Full<Bytes>>, Dropped>> + Send + 'static,
) -> Result<Response<Full<Bytes>>, Dropped> {
    tokio::spawn(work).await.unwrap_or(Err(Dropped))
}

async fn next(environment: &Environment) -> Result<Response<Full<Bytes>>, Dropped> {
    environment.abandon_unanswered();
    environment.advance(Life::Ready);
    let mut waiting = environment.waiting.lock().await;
    let invocation = tokio::select! {
        Some(invocation) = waiting.recv() => invocation,
        () = environment.exited() => return Err(Dropped),
    };
    drop(invocation.reports.send(Report::Delivered));
    environment.begin(invocation.request_id.clone(), invocation.reports);
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{}", environment.function);
    let (root, parent) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", invocation.request_id)
        .header("lambda-runtime-deadline-ms", clock::epoch_ms(invocation.deadline))
        .header("lambda-runtime-invoked-function-arn", arn)
        .header(
            "lambda-runtime-trace-id",
            format!("Root=1-{}-{};Parent={};Sampled=0", &root[..8], &root[8..], &parent[..16]),
        )
        .body(Full::new(invocation.payload))
        .map_err(|_| Dropped)
}

async fn answer(
    environment: Arc<Environment>,
    request_id: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let Some(reports) = environment.claim(&request_id) else { return Ok(unknown_request()) };
    let header = |name| request.headers().get(name).map(http::HeaderValue::as_bytes);
    let streaming = header("lambda-runtime-function-response-mode") == Some(b"streaming");
    let prelude = header("content-type") == Some(response::WITH_PRELUDE.as_bytes());
    if streaming {
        response::forward(&environment, &reports, request.into_body(), prelude).await?;
        return Ok(accepted());
    }
    buffer(&environment, &reports, request.into_body()).await
}

async fn buffer(
    environment: &Environment,
    reports: &mpsc::UnboundedSender<Report>,
    mut body: Incoming,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let (mut whole, mut length) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            drop(reports.send(Report::Answered(Err(response::broken_off(environment).await))));
            return Err(Dropped);
        };
        let data = frame.into_data().unwrap_or_default();
        length += data.len();
        // An oversized body is read to its end all the same, or the bootstrap would never see the answer.
        if length <= MAX_PAYLOAD {
            whole.extend_from_slice(&data);
        }
    }
    let (result, answer) = if length <= MAX_PAYLOAD {
        (Ok(whole.freeze()), accepted())
    } else {
        let error_type = "Function.ResponseSizeTooLarge";
        let message = format!("the response of {length} bytes is over the limit of {MAX_PAYLOAD}");
        let error = InvokeError::Function { error_type: error_type.to_owned(), message };
        (Err(error), refusal(StatusCode::PAYLOAD_TOO_LARGE, error_type))
    };
    drop(reports.send(Report::Answered(result)));
    Ok(answer)
}

async fn fail(
    environment: Arc<Environment>,
    request_id: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let Some(reports) = environment.claim(&request_id) else { return Ok(unknown_request()) };
    let report = error_report(request).await;
    let error = InvokeError::Function { error_type: report.error_type, message: report.error_message };
    drop(reports.send(Report::Answered(Err(error))));
    Ok(accepted())
}

/// The body is optional; the type may then stand in the header.
async fn error_report(request: Request<Incoming>) -> ErrorReport {
    let header = request.headers().get("lambda-runtime-function-error-type").cloned();
    let body =
        request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut report: ErrorReport = serde_json::from_slice(&body).unwrap_or_default();
    if report.error_type.is_empty() {
        let header = header.as_ref().and_then(|header| header.to_str().ok());
        header.unwrap_or("Runtime.Unknown").clone_into(&mut report.error_type);
    }
    report
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.to_owned())
}

fn unknown_request() -> Response<Full<Bytes>> {
    refusal(StatusCode::FORBIDDEN, "InvalidRequestID")
}

fn refusal(status: StatusCode, error_type: &str) -> Response<Full<Bytes>> {
    json(status, serde_json::json!({ "errorMessage": error_type, "errorType": error_type }).to_string())
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}
