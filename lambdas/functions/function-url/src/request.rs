//! The HTTP request inside a Function URL event.

use chat::{CancelRequest, Error, ErrorCode, InvalidRequest, ResumeRequest, StreamId};
use http::{HeaderMap, HeaderName, Method, header};
use lambda_http::{Body, Request, RequestExt as _};

use crate::refusal::Refusal;

/// The event, payload format 2.0
/// (<https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>).
pub(crate) fn read(payload: &[u8]) -> Result<Request, Refusal> {
    lambda_http::request::from_reader(payload)
        .map_err(|error| Refusal::internal("not a Function URL event", error))
}

/// What is asked for, by path and method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `POST /`
    Ask,
    /// `GET /streams/{id}`
    Resume { id: &'a str },
    /// `DELETE /streams/{id}`
    Cancel { id: &'a str },
}

pub(crate) fn route(request: &Request) -> Result<Route<'_>, Refusal> {
    let id = request.uri().path().strip_prefix("/streams/").filter(|id| !id.contains('/'));
    match (request.uri().path(), id, request.method()) {
        ("/", _, &Method::POST) => Ok(Route::Ask),
        ("/", _, _) => Err(Refusal::MethodNotAllowed(&["POST"])),
        (_, Some(id), &Method::GET) => Ok(Route::Resume { id }),
        (_, Some(id), &Method::DELETE) => Ok(Route::Cancel { id }),
        (_, Some(_), _) => Err(Refusal::MethodNotAllowed(&["GET", "DELETE"])),
        (_, None, _) => {
            let message = "There are two resources here: POST / and GET or DELETE /streams/{stream_id}";
            Err(Error::new(ErrorCode::NotFound, message).into())
        }
    }
}

/// From where on to resume. A browser's `EventSource` that comes again says in a header what it has, and repeats the
/// address, with what it had at first
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header>).
pub(crate) fn resume(request: &Request, id: &str) -> Result<ResumeRequest, Refusal> {
    let query = request.query_string_parameters_ref();
    let after = header(request.headers(), HeaderName::from_static("last-event-id"))
        .filter(|id| !id.is_empty())
        .or_else(|| query.and_then(|query| query.first("after")));
    ResumeRequest::from_text(id, after).map_err(|invalid| Refusal::invalid(invalid, StreamId::parse(id)))
}

pub(crate) fn cancel(id: &str) -> Result<CancelRequest, Refusal> {
    let stream_id = StreamId::parse(id).ok_or_else(|| Refusal::invalid(InvalidRequest::StreamId, None))?;
    Ok(CancelRequest { stream_id })
}

/// The token of `Authorization: Bearer <token>` (RFC 6750, section 2.1; the scheme in any case, RFC 9110).
pub(crate) fn bearer(request: &Request) -> Result<&str, Refusal> {
    header(request.headers(), header::AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(Refusal::NoToken)
}

/// The body, which must say that it is JSON: the type a browser does not send across origins without asking.
pub(crate) fn json_body(request: &Request) -> Result<&[u8], Refusal> {
    let content_type = header(request.headers(), header::CONTENT_TYPE).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::UnsupportedMediaType);
    }
    Ok(match request.body() {
        Body::Empty => &[],
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        // The enum is open; a new kind of body cannot be ours.
        _ => return Err(Refusal::UnsupportedMediaType),
    })
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
