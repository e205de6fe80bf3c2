use std::{error::Error, future::Future, io, pin::Pin, task, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::crypto::ring;
use tokio::time::timeout;
use tower_service::Service;

/// For the connection and its TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The one HTTP client of a function: its connections and its TLS serve every AWS service and the JWKS.
///
/// HTTP/1.1 only: what a function has under way at one time is a model's stream and a call or two beside it, each on a
/// connection that is kept. HTTP/2 would be another 250 KB, and a connection that has gone silent while the environment was
/// frozen would take everything with it.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client<InTime, Full<Bytes>>,
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
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(ring::default_provider())
            .expect("the provider knows the protocol versions that rustls has")
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self { client: Client::builder(TokioExecutor::new()).build(InTime(tls)) }
    }

    /// The response as soon as its head is there; its body comes as it comes. Dropping that closes the connection.
    pub async fn open(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, HttpError> {
        let url = request.uri().to_string();
        self.client.request(request).await.map_err(|error| {
            if is_timeout(&error) {
                HttpError::TimedOut { url, limit: CONNECT_TIMEOUT }
            } else {
                HttpError::Failed { url, source: error.into() }
            }
        })
    }

    /// Sends a request and reads the whole body, both within `limit`.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), HttpError> {
        let url = request.uri().to_string();
        let answer = async {
            let response = self.client.request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, Box<dyn Error + Send + Sync>>((status, body))
        };
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => Err(HttpError::Failed { url, source }),
            Err(_) => Err(HttpError::TimedOut { url, limit }),
        }
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

/// Connects within [`CONNECT_TIMEOUT`], TLS included.
#[derive(Debug, Clone)]
struct InTime(HttpsConnector<HttpConnector>);

type Connection = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
type ConnectError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for InTime {
    type Response = Connection;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>> + Send>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> task::Poll<Result<(), ConnectError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let connecting = self.0.call(url);
        Box::pin(async {
            let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
            timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(late)
        })
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    fn get(url: &str) -> Request<Full<Bytes>> {
        Request::get(url).body(Full::default()).unwrap()
    }

    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address.to_string())
    }

    async fn read_head(connection: &mut TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_connection_is_used_again_unless_it_went_silent() {
        let (listener, address) = listener().await;
        let server = tokio::spawn(async move {
            let (mut first, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                read_head(&mut first).await;
                first.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na").await.unwrap();
            }
            // The third request of this connection is not answered.
            read_head(&mut first).await;
            let (mut second, _) = listener.accept().await.unwrap();
            read_head(&mut second).await;
            second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb").await.unwrap();
            assert_eq!(first.read(&mut [0; 1]).await.unwrap(), 0, "the silent connection was closed");
        });
        let client = HttpClient::new();
        let url = format!("http://{address}/");
        let ask = |limit| client.send(get(&url), limit);
        let minute = Duration::from_mins(1);
        assert_eq!(ask(minute).await.unwrap().1, "a");
        assert_eq!(ask(minute).await.unwrap().1, "a");
        let error = ask(Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("no answer from {url} within 50ms"));
        assert_eq!(ask(minute).await.unwrap().1, "b");
        server.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_does_not_come_is_not_waited_for() {
        let (listener, address) = listener().await;
        let error = HttpClient::new().open(get(&format!("https://{address}/"))).await.unwrap_err();
        assert!(matches!(error, HttpError::TimedOut { limit: CONNECT_TIMEOUT, .. }), "{error:?}");
        drop(listener);
    }

    #[tokio::test]
    async fn nobody_there_is_no_timeout() {
        let (listener, address) = listener().await;
        drop(listener);
        let error = HttpClient::new().open(get(&format!("http://{address}/"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Failed { .. }), "{error:?}");
    }
}
