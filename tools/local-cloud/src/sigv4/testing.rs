//! Signed requests, made by the signer that the SDK uses, and servers to send them to.

use std::time::SystemTime;

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use axum::{Router, serve::ListenerExt};
use http::HeaderMap;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Credentials, REGION};

/// The headers that a signer adds to a request.
pub(crate) fn signature(
    credentials: &Credentials,
    service: &str,
    time: SystemTime,
    (method, url): (&str, &str),
    headers: &HeaderMap,
    body: &[u8],
) -> Vec<(String, String)> {
    let identity = aws_credential_types::Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        Some(credentials.session_token.clone()),
        None,
        "tests",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let request = SignableRequest::new(method, url, headers, SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A signed POST, ready to send.
pub(crate) fn post(
    credentials: &Credentials,
    service: &str,
    url: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> reqwest::RequestBuilder {
    post_by(&client(), credentials, service, url, headers, body)
}

/// The same by a client that is there already: it takes its time to be made.
pub(crate) fn post_by(
    client: &reqwest::Client,
    credentials: &Credentials,
    service: &str,
    url: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> reqwest::RequestBuilder {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let signature = signature(credentials, service, SystemTime::now(), ("POST", url), &headers, &body);
    let request = client.post(url).headers(headers).body(body);
    signature.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

pub(crate) fn client() -> reqwest::Client {
    // A second installation of the process-wide provider fails, and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap()
}

/// A server on a port of its own; it ends with this value.
pub(crate) struct Server {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn serve(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Server { url, task }
}
