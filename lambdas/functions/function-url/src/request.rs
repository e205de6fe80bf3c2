//! The HTTP request inside a Function URL event.

use chat::{Error, ErrorCode};
use http::{HeaderMap, Method, header};
use lambda_http::{Body, Request};

use crate::refusal::Refusal;

/// The event, payload format 2.0
/// (<https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>).
pub(crate) fn read(payload: &[u8]) -> Result<Request, Refusal> {
    lambda_http::request::from_reader(payload)
        .map_err(|error| Refusal::internal("not a Function URL event", error))
}

pub(crate) fn check_route(request: &Request) -> Result<(), Refusal> {
    if request.uri().path() != "/" {
        return Err(Error::new(ErrorCode::NotFound, "There is one resource here: POST /").into());
    }
    if request.method() != Method::POST {
        return Err(Refusal::MethodNotAllowed);
    }
    Ok(())
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

fn header(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
