use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_runtime::MetadataPrelude;

use crate::runtime::delivery::Delivery;

/// The way to answer one invocation, once.
#[derive(Debug)]
pub struct Responder(pub(crate) Arc<Delivery>);

impl Responder {
    /// Sends the head now; the body follows. If nobody wants it, the body is closed from the start.
    pub(crate) async fn stream(self, head: &MetadataPrelude) -> Arc<Delivery> {
        let _ = self.0.begin(head).await;
        self.0
    }

    pub(crate) async fn whole(self, head: &MetadataPrelude, body: &[u8]) {
        let _ = self.stream(head).await.send(body).await;
    }
}

/// Nothing to read: what was asked for is done.
pub(crate) fn no_content() -> MetadataPrelude {
    let mut head = head(StatusCode::NO_CONTENT, HeaderValue::from_static("text/plain"));
    head.headers.remove(header::CONTENT_TYPE);
    head
}

/// The head of every response. CORS is not in it: the Function URL's own configuration does that, and twice
/// would be refused by browsers.
pub(crate) fn head(status_code: StatusCode, content_type: HeaderValue) -> MetadataPrelude {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Without it a browser hides from its own page how long connecting took.
    headers.insert("timing-allow-origin", HeaderValue::from_static("*"));
    MetadataPrelude { status_code, headers, cookies: Vec::new() }
}
