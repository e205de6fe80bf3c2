//! "Response streaming with custom runtimes": the prelude, the chunks, the error trailers.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::{sync::mpsc, time::timeout};

use super::{
    InvokeError, OnDisconnect, StreamingResponse,
    environment::Environment,
    invocation::Report,
    runtime_api::{Dropped, ErrorReport},
};

/// The content type of a response that begins with a prelude.
pub(super) const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

/// How many chunks may wait for the reader before the function has to.
const DEPTH: usize = 4;

const SEPARATOR: [u8; 8] = [0; 8];

/// Status and headers only; a prelude that does not end must not fill the memory.
const MAX_PRELUDE: usize = 64 * 1024;

/// Forwards a streaming response, chunk by chunk. `Err`: the connection has to be dropped.
pub(super) async fn forward(
    environment: &Environment,
    reports: &mpsc::UnboundedSender<Report>,
    mut body: Incoming,
    prelude: bool,
) -> Result<(), Dropped> {
    let (sender, receiver) = mpsc::channel(DEPTH);
    let begun = if prelude {
        tokio::select! {
            begun = read_prelude(environment, &mut body) => begun,
            () = reports.closed() => return Err(Dropped),
        }
    } else {
        Ok((Prelude { headers: plain_headers(), ..Prelude::default() }, Bytes::new()))
    };
    let (Prelude { status, headers, cookies }, first) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            drop(reports.send(Report::Answered(Err(error))));
            return Err(Dropped);
        }
    };
    let response = StreamingResponse { status, headers, cookies, body: receiver };
    drop(reports.send(Report::Started { response, body: sender.clone() }));

    let signal = environment.on_disconnect == OnDisconnect::Signal;
    let mut chunk = first;
    let ended = loop {
        if !chunk.is_empty() {
            tokio::select! {
                // A reader that went away is noticed below, or not at all: see `OnDisconnect`.
                _ = sender.send(Ok(chunk)) => {}
                () = reports.closed() => return Err(Dropped),
            }
        }
        let frame = tokio::select! {
            frame = body.frame() => frame,
            // Whoever supervised this has given it up: the time is over.
            () = reports.closed() => return Err(Dropped),
            () = sender.closed(), if signal => {
                drop(reports.send(Report::Ended(Ok(()))));
                return Err(Dropped);
            }
        };
        chunk = match frame {
            None => break Ok(()),
            Some(Err(_)) => break Err(broken_off(environment).await),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(frame) => match frame.into_trailers().ok().as_ref().and_then(error_trailer) {
                    Some(error) => break Err(error),
                    None => Bytes::new(),
                },
            },
        };
    };
    drop(reports.send(Report::Ended(ended)));
    Ok(())
}

/// The headers of a response without a prelude.
pub(super) fn plain_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))])
}

/// Why a body ended too early: a process that dies closes its connections a moment before its death is known.
pub(super) async fn broken_off(environment: &Environment) -> InvokeError {
    match timeout(Duration::from_millis(500), environment.exited()).await {
        Ok(()) => InvokeError::Exited { function: environment.function.clone() },
        Err(_) => failure("Runtime.TruncatedResponse", "the connection was closed within the response"),
    }
}

#[derive(Debug)]
struct Prelude {
    status: u16,
    headers: HeaderMap,
    cookies: Vec<String>,
}

impl Default for Prelude {
    fn default() -> Self {
        Self { status: 200, headers: HeaderMap::new(), cookies: vec![] }
    }
}

/// Reads up to the separator, which may be split across chunks; returns what followed it as well.
async fn read_prelude(
    environment: &Environment,
    body: &mut Incoming,
) -> Result<(Prelude, Bytes), InvokeError> {
    let mut read = BytesMut::new();
    loop {
        let from = read.len().saturating_sub(SEPARATOR.len() - 1);
        match body.frame().await {
            None => return Err(failure("Runtime.InvalidPrelude", "the response ended within its prelude")),
            Some(Err(_)) => return Err(broken_off(environment).await),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => read.extend_from_slice(&data),
                Err(frame) => {
                    if let Some(error) = frame.into_trailers().ok().as_ref().and_then(error_trailer) {
                        return Err(error);
                    }
                }
            },
        }
        if let Some(at) = read[from..].windows(SEPARATOR.len()).position(|bytes| bytes == SEPARATOR) {
            let mut rest = read.split_off(from + at);
            return Ok((parse_prelude(&read)?, rest.split_off(SEPARATOR.len()).freeze()));
        }
        if read.len() > MAX_PRELUDE {
            return Err(failure("Runtime.InvalidPrelude", "the prelude is too long"));
        }
    }
}

fn parse_prelude(json: &[u8]) -> Result<Prelude, InvokeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Wire {
        status_code: u16,
        headers: std::collections::BTreeMap<String, Values>,
        cookies: Vec<String>,
    }
    impl Default for Wire {
        fn default() -> Self {
            Self { status_code: 200, headers: std::collections::BTreeMap::default(), cookies: vec![] }
        }
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Many(Vec<String>),
    }
    // The parser's words would quote the prelude.
    let invalid = |what: &str| failure("Runtime.InvalidPrelude", what);
    let wire: Wire =
        serde_json::from_slice(json).map_err(|_| invalid("the prelude is not the expected JSON"))?;
    if !(100..=999).contains(&wire.status_code) {
        return Err(invalid("statusCode is not an HTTP status"));
    }
    let mut headers = HeaderMap::new();
    for (name, values) in wire.headers {
        let values = match values {
            Values::One(value) => vec![value],
            Values::Many(values) => values,
        };
        for value in values {
            let name = HeaderName::try_from(&name).map_err(|_| invalid("a header's name is invalid"))?;
            let value = HeaderValue::try_from(value).map_err(|_| invalid("a header's value is invalid"))?;
            headers.append(name, value);
        }
    }
    Ok(Prelude { status: wire.status_code, headers, cookies: wire.cookies })
}

/// `Lambda-Runtime-Function-Error-Type`, and `-Body`: an error report in base64.
fn error_trailer(trailers: &HeaderMap) -> Option<InvokeError> {
    let error_type = trailers.get("lambda-runtime-function-error-type")?.to_str().ok()?;
    let report: ErrorReport = trailers
        .get("lambda-runtime-function-error-body")
        .and_then(|body| BASE64_STANDARD.decode(body).ok())
        .and_then(|body| serde_json::from_slice(&body).ok())
        .unwrap_or_default();
    Some(failure(error_type, &report.error_message))
}

fn failure(error_type: &str, message: &str) -> InvokeError {
    InvokeError::Function { error_type: error_type.to_owned(), message: message.to_owned() }
}
