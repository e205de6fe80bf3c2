//! Lambda Function URLs with `InvokeMode: RESPONSE_STREAM` and `AuthType: NONE`.
//!
//! Sources: "Invoking Lambda function URLs" (payload format version 2.0) and "Creating and managing Lambda
//! function URLs" (CORS) of the Lambda developer guide.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING},
};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use crate::{
    faults::{Faults, Planned},
    lambda::{InvokeError, Lambda, MAX_PAYLOAD, StreamingResponse},
};

mod cors;
mod event;
mod planned;
#[cfg(test)]
mod tests;

/// What Terraform calls `cors` on `aws_lambda_function_url`.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Exact origins, or `*` alone.
    pub allow_origins: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: u32,
}

/// The URL of one function, at every path.
///
/// # Panics
///
/// If an origin is a pattern such as `https://*`, which AWS knows and this does not.
pub fn router(lambda: Lambda, function: &str, cors: Cors, faults: Faults) -> Router {
    let pattern = cors.allow_origins.iter().find(|origin| origin.contains('*') && *origin != "*");
    assert!(pattern.is_none(), "patterns of origins are not supported: {pattern:?}");
    let url = Url { lambda, function: function.to_owned(), cors, faults };
    Router::new().fallback(answer).with_state(Arc::new(url))
}

struct Url {
    lambda: Lambda,
    function: String,
    cors: Cors,
    faults: Faults,
}

async fn answer(State(url): State<Arc<Url>>, request: Request) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let asked = request.headers().clone();
    let mut response = if cors::is_preflight(request.method(), &asked) {
        url.cors.preflight(&asked)
    } else {
        let mut response = match invoke(&url, request, &request_id).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        };
        url.cors.decorate(&asked, response.headers_mut());
        response
    };
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", request_id);
    }
    response
}

async fn invoke(url: &Url, request: Request, request_id: &str) -> Result<Response, Refusal> {
    let source = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let source = source.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip());
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_PAYLOAD).await.map_err(|_| Refusal::TooLarge)?;
    // A stream is named in what is asked, or in the path.
    let planned = match url.faults.of(&body) {
        None => url.faults.of(head.uri.path().as_bytes()),
        planned => planned,
    };
    let event = event::payload_v2(&head, &body, source, request_id);
    let payload = Bytes::from(event.to_string());
    let answer = url.lambda.invoke_with_response_stream(&url.function, payload).await?;
    stream(answer, planned, request_id)
}

fn stream(
    answer: StreamingResponse,
    planned: Option<Arc<Planned>>,
    request_id: &str,
) -> Result<Response, Refusal> {
    let status = StatusCode::from_u16(answer.status).map_err(|_| Refusal::FunctionFailed)?;
    if status.is_informational() {
        return Err(Refusal::FunctionFailed);
    }
    // An error in the stream makes hyper drop the connection without the last chunk: a reader can tell a
    // broken answer from a whole one.
    let mut response = Response::new(match planned {
        None => Body::from_stream(ReceiverStream::new(answer.body)),
        Some(planned) => Body::from_stream(planned::deliver(answer.body, planned, request_id.to_owned())),
    });
    *response.status_mut() = status;
    *response.headers_mut() = end_to_end(answer.headers);
    for cookie in answer.cookies {
        let cookie = HeaderValue::from_str(&cookie).map_err(|_| Refusal::FunctionFailed)?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The length of a stream and the handling of the connection are the URL's affair.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    headers
}

/// Answers of the URL itself.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    TooLarge,
    Throttled,
    FunctionFailed,
}

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Throttled { .. } => Self::Throttled,
            InvokeError::UnknownFunction(_)
            | InvokeError::Init { .. }
            | InvokeError::TimedOut { .. }
            | InvokeError::Exited { .. }
            | InvokeError::Function { .. } => Self::FunctionFailed,
        }
    }
}

impl Refusal {
    fn into_response(self) -> Response {
        let (status, error_type, body) = match self {
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestTooLargeException",
                r#"{"Message":"Request too large"}"#,
            ),
            Self::Throttled => (
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                r#"{"Reason":"ConcurrentInvocationLimitExceeded"}"#,
            ),
            Self::FunctionFailed => {
                (StatusCode::BAD_GATEWAY, "InternalServerErrorException", "Internal Server Error")
            }
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error_type));
        response
    }
}
