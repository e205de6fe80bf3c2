//! What is known about a client, and the way to it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Mutex, MutexGuard},
    time::SystemTime,
};

use axum::extract::ConnectInfo;
use base64::{Engine, prelude::BASE64_URL_SAFE};
use bytes::Bytes;
use http::{
    header::{HOST, USER_AGENT},
    request::Parts,
};
use serde_json::{Map, Value};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

/// What is queued for a client.
#[derive(Debug)]
pub(super) enum Outbound {
    Message(Bytes),
    /// The connection breaks when everything before is sent.
    Cut,
}

/// Messages that may wait for a client that does not read, before posts are refused with 429.
const OUTBOUND_QUEUE: usize = 64;

/// The client as its upgrade request introduced it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) connection_id: String,
    pub(super) connected_at: SystemTime,
    pub(super) domain_name: String,
    pub(super) source_ip: IpAddr,
    pub(super) user_agent: String,
}

impl Client {
    pub(super) fn new(head: &Parts) -> Self {
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let source = head.extensions.get::<ConnectInfo<SocketAddr>>();
        Self {
            connection_id: random_id(),
            connected_at: SystemTime::now(),
            domain_name: text(HOST).to_owned(),
            source_ip: source.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip()),
            user_agent: text(USER_AGENT).to_owned(),
        }
    }
}

/// Like `L0SM9cOFvHcCIhw=`: the `=` is part of every real id, and has to be encoded in a URL.
pub(super) fn random_id() -> String {
    BASE64_URL_SAFE.encode(std::array::from_fn::<u8, 11, _>(|_| fastrand::u8(..)))
}

pub(super) struct Connection {
    pub(super) client: Client,
    /// The authorizer's context, as every event of this connection carries it.
    pub(super) authorizer: Map<String, Value>,
    pub(super) outbound: mpsc::Sender<Outbound>,
    /// Told by DELETE.
    pub(super) deleted: Notify,
    /// Told by `Outbound::Cut`.
    pub(super) cut: Notify,
    active: Mutex<(Instant, SystemTime)>,
}

impl Connection {
    pub(super) fn new(client: Client, authorizer: Map<String, Value>) -> (Self, mpsc::Receiver<Outbound>) {
        let (outbound, queue) = mpsc::channel(OUTBOUND_QUEUE);
        let active = Mutex::new((Instant::now(), client.connected_at));
        let (deleted, cut) = (Notify::new(), Notify::new());
        (Self { client, authorizer, outbound, deleted, cut, active }, queue)
    }

    /// Something was sent or received.
    pub(super) fn touch(&self) {
        *self.active() = (Instant::now(), SystemTime::now());
    }

    pub(super) fn last_active(&self) -> (Instant, SystemTime) {
        *self.active()
    }

    fn active(&self) -> MutexGuard<'_, (Instant, SystemTime)> {
        self.active.lock().expect("nothing panics while it holds the times")
    }
}
