use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use lambda_runtime::MetadataPrelude;
use tokio::sync::{mpsc, oneshot};

/// The way to answer one invocation, once.
pub struct Responder {
    pub(crate) start: oneshot::Sender<Started>,
}

/// A response whose body is under way.
pub(crate) struct Started {
    pub(crate) head: MetadataPrelude,
    pub(crate) frames: mpsc::Receiver<Frame<Bytes>>,
    /// For a last word about a body that nobody will finish.
    pub(crate) sender: BodySender,
}

/// The body of a response. Bounded: a slow reader slows the writer.
#[derive(Debug, Clone)]
pub(crate) struct BodySender(mpsc::Sender<Frame<Bytes>>);

/// Nobody reads the body any more.
#[derive(Debug)]
pub(crate) struct Closed;

impl Responder {
    /// Sends the head now; the body follows.
    pub(crate) fn stream(self, head: MetadataPrelude) -> BodySender {
        let (sender, frames) = mpsc::channel(1);
        let sender = BodySender(sender);
        // Nobody waits for it when the invocation was given up; the body then is closed from the start.
        let _ = self.start.send(Started { head, frames, sender: sender.clone() });
        sender
    }

    pub(crate) async fn whole(self, head: MetadataPrelude, body: Bytes) {
        let _ = self.stream(head).send(body).await;
    }
}

/// Nothing to read: what was asked for is done.
pub(crate) fn no_content() -> MetadataPrelude {
    let mut head = head(StatusCode::NO_CONTENT, HeaderValue::from_static("text/plain"));
    head.headers.remove(header::CONTENT_TYPE);
    head
}

impl BodySender {
    pub(crate) async fn send(&self, chunk: Bytes) -> Result<(), Closed> {
        self.0.send(Frame::data(chunk)).await.map_err(|_| Closed)
    }

    /// Resolves when nobody reads the body any more.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }

    /// Ends the body as broken: Lambda then breaks off the client's connection
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>).
    pub(crate) async fn break_off(&self, error_type: &str) -> Result<(), Closed> {
        let mut trailers = HeaderMap::new();
        let error_type =
            HeaderValue::try_from(error_type).unwrap_or_else(|_| HeaderValue::from_static("internal"));
        trailers.insert("lambda-runtime-function-error-type", error_type);
        trailers.insert("lambda-runtime-function-error-body", HeaderValue::from_static(""));
        self.0.send(Frame::trailers(trailers)).await.map_err(|_| Closed)
    }
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
