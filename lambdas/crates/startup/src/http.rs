mod kept;

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header::HOST};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;
use tokio::{
    select,
    time::{Instant, timeout},
};
use tower_service::Service as _;

use self::kept::Kept;
use crate::Url;

/// For the connection and its TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

type Connection = SendRequest<Full<Bytes>>;

/// The one HTTP client of a function: its connections and its TLS serve every AWS service and the JWKS.
///
/// HTTP/1.1 only: what a function has under way at one time is a model's stream and a call or two beside it, each on a
/// connection that is kept. HTTP/2 would be another 250 KB, and a connection that has gone silent while the environment was
/// frozen would take everything with it.
#[derive(Debug, Clone)]
pub struct HttpClient {
    connector: HttpsConnector<HttpConnector>,
    kept: Kept,
}

/// A request that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("no answer from {url} within {limit:?}")]
    TimedOut { url: String, limit: Duration },
    #[error("no answer from {url}")]
    Failed { url: String, source: Box<dyn Error + Send + Sync> },
}

impl HttpClient {
    pub fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        // Mozilla's roots, embedded: to read the system's takes half of an init.
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(ring::default_provider())
            .expect("the provider knows the protocol versions that rustls has")
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { connector, kept: Kept::default() }
    }

    /// The response as soon as its head is there; its body comes as it comes. Dropping that closes the connection. Where the
    /// request goes, `to` says and not its own URI.
    pub async fn open(
        &self,
        to: &Url,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, HttpError> {
        let (response, connection) = self.exchange(to, request, Instant::now()).await?;
        self.kept.put_when_ready(to, connection);
        Ok(response)
    }

    /// Sends a request and reads the whole body, both within `limit`.
    pub async fn send(
        &self,
        to: &Url,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), HttpError> {
        let now = Instant::now();
        let answer = async {
            let (response, connection) = self.exchange(to, request, now).await?;
            let status = response.status();
            let body = read(response.into_body()).await.map_err(|error| HttpError::failed(to, error))?;
            self.kept.put_when_ready(to, connection);
            Ok((status, body))
        };
        let mut alarm = self.kept.alarm(now + limit);
        let answer = select! {
            biased;
            answer = answer => answer,
            () = alarm.until(now + limit) => Err(HttpError::TimedOut { url: to.to_string(), limit }),
        };
        self.kept.put_alarm(alarm);
        answer
    }

    /// Over a kept connection, or a new one. That a kept one was closed by the other side is often seen only when it is used
    /// again, most of all after the environment was frozen: a request that it has not begun to send goes over the next.
    async fn exchange(
        &self,
        to: &Url,
        mut request: Request<Full<Bytes>>,
        now: Instant,
    ) -> Result<(Response<Incoming>, Connection), HttpError> {
        *request.uri_mut() = to.target().clone();
        request.headers_mut().insert(HOST, to.host().clone());
        loop {
            let kept = self.kept.take(to, now);
            let is_new = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => Box::pin(self.connect(to)).await?,
            };
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_new => request = unsent,
                    Some(_) | None => return Err(HttpError::failed(to, error.into_error())),
                },
            }
        }
    }

    async fn connect(&self, to: &Url) -> Result<Connection, HttpError> {
        let connecting = self.connector.clone().call(to.whole().clone());
        let late = |_| HttpError::TimedOut { url: to.to_string(), limit: CONNECT_TIMEOUT };
        let stream = timeout(CONNECT_TIMEOUT, connecting).await.map_err(late)?;
        let stream = stream.map_err(|source| HttpError::Failed { url: to.to_string(), source })?;
        let (connection, driver) =
            http1::handshake(stream).await.map_err(|error| HttpError::failed(to, error))?;
        // How it ends, the request that is under way is told.
        tokio::spawn(driver);
        Ok(connection)
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpError {
    fn failed(to: &Url, source: hyper::Error) -> Self {
        Self::Failed { url: to.to_string(), source: source.into() }
    }
}

/// Mostly there is one piece, or none.
async fn read(mut body: Incoming) -> Result<Bytes, hyper::Error> {
    let mut whole = Bytes::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if whole.is_empty() {
            whole = piece;
        } else {
            let mut longer = BytesMut::from(whole);
            longer.extend_from_slice(&piece);
            whole = longer.freeze();
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;
