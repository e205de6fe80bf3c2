//! function-url: a POST whose answer is a stream of server-sent events, a GET for the rest of one, a DELETE to stop one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::{
    ContractError, DEFAULT_TIMEOUT, ProbeError, Received, Request, Settings,
    intake::Intake,
    net::{self, Http},
    settings::require,
    sse::{Frame, Parser, SseError},
};

const EVENT_STREAM: &str = "text/event-stream";

/// How long to look for bytes after the terminal event, which must not be there.
const TRAILING_TIME: Duration = Duration::from_secs(2);

/// An answer read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Posts any bytes with any headers and reads the whole answer, parsing nothing.
pub async fn post(
    settings: &Settings,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Answer, ProbeError> {
    exchange(settings, Method::POST, "/", headers, body).await
}

/// Any request, to a path that begins with `/`; reads the whole answer, parsing nothing.
pub async fn exchange(
    settings: &Settings,
    method: Method,
    path_and_query: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Answer, ProbeError> {
    let http = Http::new(&address(settings, path_and_query)?)?;
    let (status, headers, body) =
        net::within(DEFAULT_TIMEOUT, "the answer", http.exchange(method, headers, body)).await?;
    Ok(Answer { status, headers, body })
}

/// Posts any bytes with any headers and returns as soon as the status is there, the body unread.
pub async fn send(
    settings: &Settings,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<reqwest::Response, ProbeError> {
    let http = Http::new(&address(settings, "/")?)?;
    net::within(DEFAULT_TIMEOUT, "the answer", http.send(Method::POST, headers, body)).await
}

/// Asks for the end of a stream.
pub async fn cancel(settings: &Settings, access_token: &str, stream_id: &str) -> Result<(), ProbeError> {
    let authorization = format!("Bearer {access_token}");
    let headers = [("authorization", authorization.as_str())];
    let answer =
        exchange(settings, Method::DELETE, &format!("/streams/{stream_id}"), &headers, Bytes::new()).await?;
    if answer.status == 204 {
        return Ok(());
    }
    Err(refused(answer.status, &net::json_or_null(&answer.body)))
}

pub(crate) async fn run<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let http = Http::new(&address(settings, "/")?)?;
    let authorization = format!("Bearer {access_token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("accept", EVENT_STREAM),
        ("content-type", "application/json"),
    ];
    let posting = http.send(Method::POST, &headers, request.body.to_string());
    read(&http, posting, request, intake).await
}

pub(crate) async fn resume<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    stream: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let query = intake.last().map_or_else(String::new, |after| format!("?after={after}"));
    let http = Http::new(&address(settings, &format!("/streams/{}{query}", stream.stream_id))?)?;
    let authorization = format!("Bearer {access_token}");
    let headers = [("authorization", authorization.as_str()), ("accept", EVENT_STREAM)];
    let getting = http.send(Method::GET, &headers, Bytes::new());
    read(&http, getting, stream, intake).await
}

/// Below the function's URL, which has no path of its own.
fn address(settings: &Settings, path_and_query: &str) -> Result<Uri, ProbeError> {
    const KEY: &str = "VITE_FUNCTION_URL";
    let base = require(&settings.function_url, KEY)?;
    if path_and_query == "/" {
        return Ok(base);
    }
    let mut parts = base.into_parts();
    parts.path_and_query = Some(
        path_and_query
            .parse()
            .map_err(|_| ProbeError::Protocol("the stream id cannot be a part of a URL".to_owned()))?,
    );
    Uri::from_parts(parts).map_err(|_| ProbeError::InvalidUrl { key: KEY })
}

async fn read<F: FnMut(&Received)>(
    http: &Http,
    answering: impl Future<Output = Result<reqwest::Response, ProbeError>>,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let answered = net::within(intake.timeout, "the answer", answering).await;
    intake.trace.connected = intake.trace.connected.or(http.connected());
    let mut response = answered?;
    let status = response.status().as_u16();
    intake.trace.http_status = Some(status);
    if status != 200 {
        let body = async { response.bytes().await.map_err(|error| net::broken(&error)) };
        let body = net::within(intake.timeout, "the answer's body", body).await?;
        return refusal(status, &body, intake);
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with(EVENT_STREAM)) {
        return Err(ProbeError::Protocol("the answer is not text/event-stream".to_owned()));
    }
    follow(&mut response, request, intake).await
}

async fn follow<F: FnMut(&Received)>(
    response: &mut reqwest::Response,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let mut parser = Parser::default();
    let mut deadline = intake.deadline();
    loop {
        let portion = match tokio::time::timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(portion))) => portion,
            Ok(_) | Err(_) if intake.ended() => return Ok(()),
            Ok(Ok(None)) => return Err(intake.closed()),
            Ok(Err(error)) => return Err(net::broken(&error)),
            Err(_) => return Err(intake.expired()),
        };
        let at = Instant::now();
        let was_ended = intake.ended();
        for frame in
            parser.push(&portion).map_err(|error: SseError| ProbeError::Protocol(error.to_string()))?
        {
            intake.take(received(frame, at, request)?)?;
        }
        if !intake.ended() {
            deadline = intake.deadline();
        } else if !was_ended {
            deadline = tokio::time::Instant::now() + TRAILING_TIME;
        }
    }
}

fn received(frame: Frame, at: Instant, request: &Request) -> Result<Received, ProbeError> {
    let (id, data, bytes) = match frame {
        Frame::Comment { bytes } => return Ok(Received { at, event: json!({"type": "ping"}), bytes }),
        Frame::Event { id, data, bytes } => (id, data, bytes),
    };
    let event: Value = serde_json::from_str(&data)
        .map_err(|_| ProbeError::Protocol("the data of a server-sent event is not JSON".to_owned()))?;
    let received = Received { at, event, bytes };
    // A browser resumes by the id it saw last, so the two must agree.
    if id.is_some_and(|id| received.seq().map(|seq| seq.to_string()) != Some(id)) {
        return Err(ProbeError::Protocol("the id of a server-sent event is not its seq".to_owned()));
    }
    if !request.owns(&received.event) {
        return Err(ProbeError::Protocol("an event of another stream arrived".to_owned()));
    }
    Ok(received)
}

/// Before the first byte an error is a status code, with the contract's `error` event as its body.
fn refusal<F: FnMut(&Received)>(status: u16, body: &[u8], intake: &mut Intake<F>) -> Result<(), ProbeError> {
    let received = Received { at: Instant::now(), event: net::json_or_null(body), bytes: body.len() };
    if received.event["type"] == "error" {
        return intake.take(received);
    }
    Err(refused(status, &received.event))
}

fn refused(status: u16, body: &Value) -> ProbeError {
    match ContractError::of(body, Some(status)) {
        Some(error) => error.into(),
        None => ProbeError::Refused { what: "request", status: Some(status), reason: net::said(body) },
    }
}
