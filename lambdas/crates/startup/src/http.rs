use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpConnector as _, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
        },
        orchestrator::HttpRequest,
    },
    http::StatusCode,
};
use http_body_util::BodyExt;
use tokio::time::timeout;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The one HTTP client of a function: its connections and its TLS serve the AWS SDK, the JWKS and AppSync.
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

    /// The same client for the AWS SDK.
    pub fn for_sdk(&self) -> SharedHttpClient {
        let connector = self.connector.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// Sends a request and reads the whole body, both within `limit`.
    pub async fn send(
        &self,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<(StatusCode, Vec<u8>), HttpError> {
        let url = request.uri().to_owned();
        let answer = async {
            let response = self.connector.call(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes().to_vec();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((status, body))
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
