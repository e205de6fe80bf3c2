//! Sockets: Nagle's algorithm off, one TLS configuration for HTTP and WebSocket, each wait bounded, and the moment
//! of connection noted.

use std::{
    error::Error,
    pin::Pin,
    sync::{Arc, LazyLock, OnceLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, Uri, header::SEC_WEBSOCKET_PROTOCOL};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, error::ProtocolError},
};
use tower_layer::Layer;
use tower_service::Service;

use crate::{ProbeError, settings::is_loopback};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A text message and when it was read.
pub(crate) struct Text {
    pub(crate) at: Instant,
    pub(crate) text: String,
}

/// Does once what would otherwise count as connect time of the first stream: reading the root certificates.
pub(crate) fn prepare() {
    LazyLock::force(&TLS);
}

/// Bounds one wait.
pub(crate) async fn within<T, E: From<ProbeError>>(
    timeout: Duration,
    what: &'static str,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(timeout, step).await {
        Ok(result) => result,
        Err(_) => Err(ProbeError::Timeout(timeout, what).into()),
    }
}

/// Opens a WebSocket and returns it with the subprotocol that the server chose.
pub(crate) async fn upgrade(url: &Uri, protocols: &str) -> Result<(Socket, Option<String>), ProbeError> {
    let mut request = url.into_client_request().map_err(|error| ProbeError::Broken(error.to_string()))?;
    if !protocols.is_empty() {
        let mut value = HeaderValue::from_str(protocols).map_err(|_| {
            ProbeError::Protocol("a subprotocol has bytes that no header can carry".to_owned())
        })?;
        value.set_sensitive(true);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    let connector = Connector::Rustls(Arc::clone(&TLS));
    let (socket, response) = Box::pin(connect_async_tls_with_config(request, None, true, Some(connector)))
        .await
        .map_err(|error| match error {
            tungstenite::Error::Http(response) => ProbeError::Refused {
                what: "upgrade",
                status: Some(response.status().as_u16()),
                reason: said(&json_or_null(response.body().as_deref().unwrap_or_default())),
            },
            tungstenite::Error::Io(error) => unreachable(url, &error),
            other => ProbeError::Protocol(format!("upgrade failed: {other}")),
        })?;
    let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
    Ok((socket, chosen.and_then(|value| value.to_str().ok()).map(str::to_owned)))
}

/// The next text message; `None` once the peer is gone. Safe to cancel.
pub(crate) async fn next_text(socket: &mut Socket) -> Result<Option<Text>, ProbeError> {
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Text(text)) => return Ok(Some(Text { at: Instant::now(), text: text.to_string() })),
            Ok(Message::Binary(_)) => {
                return Err(ProbeError::Protocol("the server sent a binary message".to_owned()));
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Ok(Message::Close(_)) => return Ok(None),
            Err(error) => return closed(&error),
        }
    }
    Ok(None)
}

/// What an AWS service says about a refusal, in any of the spellings they use.
pub(crate) fn said(answer: &Value) -> String {
    let texts = ["__type", "errorType", "message", "Message"].map(|key| answer[key].as_str());
    let found: Vec<_> = texts.into_iter().flatten().collect();
    if found.is_empty() { "no reason given".to_owned() } else { found.join(": ") }
}

pub(crate) fn json_or_null(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

/// One HTTP/1.1 client for one URL. Not shared, so that each stream's connect time is its own.
pub(crate) struct Http {
    client: reqwest::Client,
    url: Uri,
    connected: Arc<OnceLock<Instant>>,
}

impl Http {
    pub(crate) fn new(url: &Uri) -> Result<Self, ProbeError> {
        let connected = Arc::new(OnceLock::new());
        let mut builder = reqwest::Client::builder()
            .http1_only()
            .tcp_nodelay(true)
            // A redirect would carry the bearer token to whoever it names.
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(ClientConfig::clone(&TLS))
            .connector_layer(Stamp(Arc::clone(&connected)));
        if is_loopback(&url.to_string()) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| ProbeError::Broken(innermost(&error)))?;
        Ok(Self { client, url: url.clone(), connected })
    }

    /// When the connection, with TLS, stood.
    pub(crate) fn connected(&self) -> Option<Instant> {
        self.connected.get().copied()
    }

    /// Returns once the status and headers are there.
    pub(crate) async fn send(
        &self,
        method: Method,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<reqwest::Response, ProbeError> {
        let mut request = self.client.request(method, self.url.to_string()).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.map_err(|error| {
            if error.is_connect() {
                unreachable(&self.url, &error)
            } else {
                ProbeError::Broken(innermost(&error))
            }
        })
    }

    /// Reads the answer to its end: status, headers, body.
    pub(crate) async fn exchange(
        &self,
        method: Method,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<(u16, HeaderMap, Bytes), ProbeError> {
        let mut response = self.send(method, headers, body).await?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let body = response.bytes().await.map_err(|error| broken(&error))?;
        Ok((status, headers, body))
    }
}

pub(crate) fn broken(error: &reqwest::Error) -> ProbeError {
    ProbeError::Broken(innermost(error))
}

static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    // Another provider may have been installed before: then that one is the process's choice.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
});

fn unreachable(url: &Uri, error: &(dyn Error + 'static)) -> ProbeError {
    let target = format!("{}://{}", url.scheme_str().unwrap_or_default(), host(url));
    ProbeError::Unreachable { target, reason: innermost(error), local: is_loopback(&url.to_string()) }
}

/// Host and port as a browser's `URL.host` spells them.
pub(crate) fn host(url: &Uri) -> String {
    let authority = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}

/// The cause at the bottom says what happened; the layers above it only say that something did.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn closed(error: &tungstenite::Error) -> Result<Option<Text>, ProbeError> {
    match error {
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ok(None),
        other => Err(ProbeError::Broken(other.to_string())),
    }
}

/// Wraps reqwest's connector, which ends when TCP and TLS stand, to note the moment.
#[derive(Clone)]
struct Stamp(Arc<OnceLock<Instant>>);

#[derive(Clone)]
struct Stamped<S> {
    connector: S,
    connected: Arc<OnceLock<Instant>>,
}

impl<S> Layer<S> for Stamp {
    type Service = Stamped<S>;

    fn layer(&self, connector: S) -> Stamped<S> {
        Stamped { connector, connected: Arc::clone(&self.0) }
    }
}

impl<S, R> Service<R> for Stamped<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, connected) = (self.connector.call(request), Arc::clone(&self.connected));
        Box::pin(async move {
            let connection = connecting.await?;
            let _ = connected.set(Instant::now());
            Ok(connection)
        })
    }
}
