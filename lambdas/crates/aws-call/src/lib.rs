//! A call of an AWS service without its SDK: one POST, signed with Signature Version 4, over the function's HTTP client.
//!
//! An SDK's orchestrator takes several times as long as such a POST, and as much room as the rest of a function
//! (docs/adr/0009-calls-without-sdks.md). Absent on purpose: which errors are worth another try, which every caller knows
//! for itself; other methods, queries and requests that stream.

#![forbid(unsafe_code)]

mod endpoint;
mod retry;
mod signature;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use hyper::body::Incoming;
use startup::{Aws, HttpClient, HttpError, SettingsError};

pub use endpoint::{Endpoint, NotAnEndpoint};
pub use http::StatusCode;
pub use retry::Retry;
use signature::{DATE, Signer, TOKEN};

/// One AWS service as one role, in one region.
#[derive(Debug)]
pub struct Service {
    http: HttpClient,
    signer: Signer,
    session_token: Option<HeaderValue>,
}

/// A header that is sent and signed: its name in small letters, its value without spaces at its ends or two in a row.
pub type Header = (&'static str, &'static str);

/// A call that has no answer. Neither what was sent nor what came is in it.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("the call could not be put into an HTTP request")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl CallError {
    /// Whether another try may bring an answer. The call may have been done all the same.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Request(_) => false,
        }
    }
}

impl Service {
    /// `name` is the one that is signed, such as `dynamodb`.
    pub fn new(aws: &Aws, name: &'static str) -> Result<Self, SettingsError> {
        let token = aws.credentials().session_token().map(HeaderValue::from_str).transpose();
        let mut session_token = token.map_err(|error| SettingsError::Wrong {
            name: "AWS_SESSION_TOKEN",
            problem: error.to_string(),
        })?;
        // Nobody's `Debug` shows it.
        if let Some(token) = &mut session_token {
            token.set_sensitive(true);
        }
        let signer = Signer::new(aws.credentials(), aws.region(), name);
        Ok(Self { http: aws.http().clone(), signer, session_token })
    }

    /// The answer, whatever its status, within `limit`.
    pub async fn post(
        &self,
        endpoint: &Endpoint,
        headers: &[Header],
        body: Bytes,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), CallError> {
        let request = self.request(endpoint, headers, body, SystemTime::now())?;
        Ok(self.http.send(request, limit).await?)
    }

    /// The answer as soon as its head is there. Whoever asks bounds the time.
    pub async fn open(
        &self,
        endpoint: &Endpoint,
        headers: &[Header],
        body: Bytes,
    ) -> Result<Response<Incoming>, CallError> {
        let request = self.request(endpoint, headers, body, SystemTime::now())?;
        Ok(self.http.open(request).await?)
    }

    fn request(
        &self,
        endpoint: &Endpoint,
        headers: &[Header],
        body: Bytes,
        at: SystemTime,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let signature = self.signer.sign(endpoint, headers, &body, at);
        let mut map = HeaderMap::with_capacity(headers.len() + 3);
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let value =
            |text: String| HeaderValue::try_from(text).map_err(|error| CallError::Request(error.into()));
        map.insert(HeaderName::from_static(DATE), value(signature.date)?);
        map.insert(AUTHORIZATION, value(signature.authorization)?);
        if let Some(token) = &self.session_token {
            map.insert(HeaderName::from_static(TOKEN), token.clone());
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = endpoint.uri().clone();
        *request.headers_mut() = map;
        Ok(request)
    }
}

/// The name of an error in the JSON protocols of AWS: `QueueDoesNotExist` of `com.amazonaws.sqs#QueueDoesNotExist`.
pub fn error_name(kind: &str) -> &str {
    one_word(kind.rsplit('#').next().unwrap_or_default())
}

/// What may be logged as a name or a code. Empty if it is not one word, and so may be anything.
pub fn one_word(text: &str) -> &str {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) { text } else { "" }
}

#[cfg(test)]
mod tests;
