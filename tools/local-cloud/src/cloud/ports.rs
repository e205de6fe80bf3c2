//! Which service listens where.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::Context as _;
use axum::{Router, serve::ListenerExt as _};
use tokio::net::TcpListener;

use crate::wiring::Service;

#[derive(Debug, Clone, Default)]
pub(super) struct Addresses(HashMap<&'static str, SocketAddr>);

impl Addresses {
    pub(super) fn of(&self, service: Service) -> SocketAddr {
        self.0[service.name()]
    }
}

pub(super) async fn bind(base_port: Option<u16>) -> anyhow::Result<(Vec<TcpListener>, Addresses)> {
    let mut listeners = Vec::new();
    let mut addresses = Addresses::default();
    for (offset, service) in (0..).zip(Service::ALL) {
        let listener = bind_one(base_port, offset, service.name()).await?;
        addresses.0.insert(service.name(), listener.local_addr()?);
        listeners.push(listener);
    }
    Ok((listeners, addresses))
}

/// After the ports of the services.
pub(super) async fn bind_control(base_port: Option<u16>) -> anyhow::Result<TcpListener> {
    let services = u16::try_from(Service::ALL.len())?;
    bind_one(base_port, services, "faults").await
}

pub(super) async fn serve(listener: TcpListener, router: Router) {
    // Small chunks must not wait for each other.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    // Accepting never ends with an error: axum waits and goes on.
    let _ = axum::serve(listener, router).await;
}

async fn bind_one(base_port: Option<u16>, offset: u16, name: &str) -> anyhow::Result<TcpListener> {
    let port = base_port.map_or(0, |base| base.saturating_add(offset));
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.with_context(|| format!("port {port}, for {name}, cannot be had: choose others with LOCAL_PORT"))
}
