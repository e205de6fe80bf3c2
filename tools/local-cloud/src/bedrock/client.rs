//! The HTTP client for a model that is somewhere else.

use std::{net::IpAddr, time::Duration};

use super::error::Refusal;

/// A client that may have failed to start: without any CA certificate, for example.
pub(super) struct Client(Result<reqwest::Client, String>);

impl Client {
    pub(super) fn new(url: &str) -> Self {
        // A second installation of the process-wide provider fails, and that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().tcp_nodelay(true).connect_timeout(Duration::from_secs(5));
        // A proxy would look for its own loopback.
        let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
        Client(builder.build().map_err(|error| error.to_string()))
    }

    pub(super) fn get(&self) -> Result<&reqwest::Client, Refusal> {
        self.0.as_ref().map_err(|error| Refusal::unavailable(format!("There is no HTTP client: {error}.")))
    }
}

fn is_loopback(url: &str) -> bool {
    url.parse::<http::Uri>().ok().is_some_and(|uri| {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}
