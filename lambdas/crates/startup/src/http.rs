use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::{
    client::{
        connection::CaptureSmithyConnection,
        http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
    },
    http::StatusCode,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::timeout;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The one HTTP client of a function: its connections and its TLS serve every call of AWS, and the JWKS.
#[derive(Debug, Clone)]
pub struct HttpClient {
    connector: SharedHttpConnector,
}

/// A request that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("no answer from {url} within {limit:?}")]
    TimedOut { url: String, limit: Duration },
    #[error("no answer from {url}")]
    Failed { url: String, source: Box<dyn std::error::Error + Send + Sync> },
}

impl HttpClient {
    pub fn new() -> Self {
        let connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
            .sleep_impl(TokioSleep::new())
            .build();
        Self { connector: SharedHttpConnector::new(connector) }
    }

    /// The response as soon as its head is there; its body comes as it comes.
    pub async fn open(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.uri().to_owned();
        self.connector.call(request).await.map_err(|error| {
            if error.is_timeout() {
                HttpError::TimedOut { url, limit: CONNECT_TIMEOUT }
            } else {
                HttpError::Failed { url, source: error.into() }
            }
        })
    }

    /// Sends a request and reads the whole body, both within `limit`.
    pub async fn send(
        &self,
        mut request: HttpRequest,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), HttpError> {
        let url = request.uri().to_owned();
        let connection = CaptureSmithyConnection::new();
        request.add_extension(connection.clone());
        let answer = async {
            let response = self.connector.call(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((status, body))
        };
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => Err(HttpError::Failed { url, source }),
            Err(_) => {
                // Over HTTP/2 whatever is tried next would go the same way, which may be dead without a sign of it:
                // Lambda freezes an environment between invocations, and its connections with it.
                if let Some(connection) = connection.get() {
                    connection.poison();
                }
                Err(HttpError::TimedOut { url, limit })
            }
        }
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use aws_smithy_runtime_api::client::{
        connection::ConnectionMetadata,
        http::{HttpConnector, HttpConnectorFuture},
    };

    use super::*;

    /// Has a connection on which nothing comes back.
    #[derive(Debug, Clone, Default)]
    struct Silent {
        poisoned: Arc<AtomicBool>,
    }

    impl HttpConnector for Silent {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let poisoned = self.poisoned.clone();
            let poison = move || poisoned.store(true, Ordering::Relaxed);
            let connection = ConnectionMetadata::builder().proxied(false).poison_fn(poison).build();
            let captured = request.extension::<CaptureSmithyConnection>().expect("somebody who asks for it");
            captured.set_connection_retriever(move || Some(connection.clone()));
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_gone_silent_is_not_used_again() {
        let silent = Silent::default();
        let client = HttpClient { connector: SharedHttpConnector::new(silent.clone()) };
        let request = HttpRequest::get("http://a.example/").unwrap();
        let error = client.send(request, Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer from http://a.example/ within 1s");
        assert!(silent.poisoned.load(Ordering::Relaxed));
    }
}
