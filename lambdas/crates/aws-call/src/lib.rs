//! A call of an AWS service without its SDK: one POST, signed with Signature Version 4, over the function's HTTP client.
//!
//! An SDK's orchestrator takes several times as long as such a POST, and as much room as the rest of a function
//! (docs/adr/0009-calls-without-sdks.md). Absent on purpose: which errors are worth another try, which every caller knows
//! for itself; other methods, queries and requests that stream.

#![forbid(unsafe_code)]

mod endpoint;
mod retry;
mod signature;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use hyper::body::Incoming;
use startup::{Aws, HttpClient, HttpError, SettingsError, Url};

pub use endpoint::{Endpoint, NotAnEndpoint};
pub use http::StatusCode;
pub use retry::Retry;
use signature::{DATE, Signer, Stamps, TOKEN};

/// One AWS service as one role, in one region.
#[derive(Debug)]
pub struct Service {
    http: HttpClient,
    signer: Arc<Signer>,
    session_token: Option<HeaderValue>,
}

/// A header that is sent and signed: its name in small letters, its value without spaces at its ends or two in a row.
pub type Header = (&'static str, &'static str);

/// One operation at one endpoint: what is the same for each of its calls is made once.
#[derive(Debug)]
pub struct Call {
    http: HttpClient,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    stamps: Stamps,
}

impl Service {
    /// `name` is the one that is signed, such as `dynamodb`.
    pub fn new(aws: &Aws, name: &'static str) -> Result<Self, SettingsError> {
        let credentials = aws.credentials();
        let session_token = credentials.session_token().map(|token| value("AWS_SESSION_TOKEN", token));
        let mut session_token = session_token.transpose()?;
        // Nobody's `Debug` shows it.
        if let Some(token) = &mut session_token {
            token.set_sensitive(true);
        }
        // They stand in `Authorization`.
        value("AWS_ACCESS_KEY_ID", credentials.access_key_id())?;
        value("AWS_REGION", aws.region())?;
        let signer = Arc::new(Signer::new(credentials, aws.region(), name));
        Ok(Self { http: aws.http().clone(), signer, session_token })
    }

    /// An operation of the AWS JSON 1.0 protocol, such as `DynamoDB_20120810.GetItem`
    /// (<https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>).
    pub fn json_call(&self, endpoint: &Endpoint, target: &'static str) -> Call {
        self.call(endpoint, &[("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)])
    }

    /// `headers` are those that each call is sent with, besides the ones of HTTP and of the signature.
    pub fn call(&self, endpoint: &Endpoint, headers: &[Header]) -> Call {
        let stamps = Stamps::new(self.signer.clone(), endpoint, headers);
        let fixed = |(name, value): &Header| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let mut headers: Vec<_> = headers.iter().map(fixed).collect();
        headers.extend(self.session_token.clone().map(|token| (TOKEN.clone(), token)));
        Call { http: self.http.clone(), url: endpoint.url().clone(), headers, stamps }
    }
}

impl Call {
    /// Where it goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The answer, whatever its status, within `limit`.
    pub async fn post(&self, body: Bytes, limit: Duration) -> Result<(StatusCode, Bytes), HttpError> {
        self.http.send(&self.url, self.request(body, SystemTime::now()), limit).await
    }

    /// The answer as soon as its head is there. Whoever asks bounds the time.
    pub async fn open(&self, body: Bytes) -> Result<Response<Incoming>, HttpError> {
        self.http.open(&self.url, self.request(body, SystemTime::now())).await
    }

    /// All but what the client adds: where it goes, and how long it is.
    fn request(&self, body: Bytes, at: SystemTime) -> Request<Full<Bytes>> {
        let (date, authorization) = self.stamps.sign(&body, at);
        let mut map = HeaderMap::with_capacity(self.headers.len() + 4);
        for (name, value) in &self.headers {
            map.insert(name.clone(), value.clone());
        }
        map.insert(DATE.clone(), date);
        map.insert(AUTHORIZATION, authorization);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = map;
        request
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

fn value(name: &'static str, text: &str) -> Result<HeaderValue, SettingsError> {
    HeaderValue::from_str(text).map_err(|error| SettingsError::Wrong { name, problem: error.to_string() })
}

#[cfg(test)]
mod tests;
