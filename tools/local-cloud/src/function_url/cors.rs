//! CORS as the URL's configuration does it, without the function.

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};

use super::Cors;

/// A browser's question (Fetch standard, CORS-preflight request). Any other OPTIONS reaches the function.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// To an origin that is not allowed: 200 with none of the headers, which the browser takes for a no.
    pub(super) fn preflight(&self, asked: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        if self.allow(asked, headers) {
            append(headers, ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods.join(","));
            append(headers, ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers.join(","));
            append(headers, ACCESS_CONTROL_MAX_AGE, &self.max_age_seconds.to_string());
        }
        response
    }

    /// Appends and does not replace: a function that sets these headers as well gets them twice, which
    /// browsers refuse, on AWS too.
    pub(super) fn decorate(&self, asked: &HeaderMap, headers: &mut HeaderMap) {
        if self.allow(asked, headers) && !self.expose_headers.is_empty() {
            append(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers.join(","));
        }
    }

    fn allow(&self, asked: &HeaderMap, headers: &mut HeaderMap) -> bool {
        let Some(origin) = asked.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return false };
        if self.allow_origins.iter().any(|allowed| allowed == "*") {
            append(headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        } else if self.allow_origins.iter().any(|allowed| allowed == origin) {
            append(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            append(headers, VARY, "Origin");
        } else {
            return false;
        }
        true
    }
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}
