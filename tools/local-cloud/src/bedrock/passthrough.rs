//! Another Bedrock endpoint as the model: the same path and body, the answer byte for byte.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, Uri, header};

use super::{client::Client, error::Refusal, journal::Record};

pub(super) struct Endpoint {
    url: String,
    client: Client,
}

impl Endpoint {
    pub(super) fn new(url: &str) -> Self {
        Endpoint { url: url.trim_end_matches('/').to_owned(), client: Client::new(url) }
    }

    pub(super) async fn pass(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
        record: Record,
    ) -> Result<Response, Refusal> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self.client.get()?.post(format!("{}{path}", self.url));
        let upstream = request.headers(unsigned(headers)).body(body).send().await.map_err(|_| {
            Refusal::unavailable(format!("The Bedrock endpoint at {} does not answer.", self.url))
        })?;
        let mut builder = Response::builder().status(upstream.status());
        for (name, value) in upstream.headers().iter().filter(|(name, _)| is_answer(name)) {
            builder = builder.header(name, value);
        }
        let succeeded = upstream.status().is_success();
        let chunks = stream::unfold(
            (upstream.bytes_stream().boxed(), record),
            move |(mut upstream, record)| async move {
                let chunk = upstream.next().await;
                if chunk.is_none() && succeeded {
                    record.complete();
                }
                Some((chunk?, (upstream, record)))
            },
        );
        Ok(builder.body(Body::from_stream(chunks)).expect("a status and headers of a response"))
    }
}

/// Without the signature and its parts, which are for this service, and without what belongs to the connection.
fn unsigned(headers: &HeaderMap) -> HeaderMap {
    const SIGNATURE: [&str; 4] =
        ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];
    let connection = [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING];
    headers
        .iter()
        .filter(|(name, _)| !SIGNATURE.contains(&name.as_str()) && !connection.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn is_answer(name: &HeaderName) -> bool {
    name == header::CONTENT_TYPE || name.as_str().starts_with("x-amzn-")
}
