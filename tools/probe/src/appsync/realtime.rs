use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;
use uuid::Uuid;

use super::{SUBSCRIPTION, events};
use crate::{
    DEFAULT_TIMEOUT, OpenError, ProbeError, Settings,
    net::{self, Socket, Text},
    settings::require,
};

/// How long a polite goodbye may take.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// `AppSync`'s realtime protocol over one WebSocket.
/// <https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html>
pub struct Realtime {
    socket: Socket,
    /// `{"Authorization": token, "host": the GraphQL host}`: each `start` is authorized anew.
    authorization: Value,
    /// Messages for running subscriptions that came while another one was being acknowledged.
    pending: VecDeque<Message>,
    /// How long to wait for an acknowledgement.
    timeout: Duration,
}

/// What `AppSync` says about subscriptions; `id` is the one that [`Realtime::subscribe`] returned.
#[derive(Debug, Clone)]
pub enum Message {
    /// `payload` is a GraphQL answer: `{"data": {"onTokenReceived": {...}}}`.
    Data {
        id: String,
        payload: Value,
        at: Instant,
        bytes: usize,
    },
    /// `payload` is `{"errors": [...]}`; without an id it is about the connection.
    Error {
        id: Option<String>,
        payload: Value,
    },
    Complete {
        id: String,
    },
}

impl Realtime {
    /// Returns after `connection_ack`.
    pub async fn connect(settings: &Settings, access_token: &str) -> Result<Self, OpenError> {
        Self::connect_within(settings, access_token, DEFAULT_TIMEOUT).await
    }

    /// [`Self::connect`] with another bound on the wait for each acknowledgement.
    pub async fn connect_within(
        settings: &Settings,
        access_token: &str,
        timeout: Duration,
    ) -> Result<Self, OpenError> {
        net::within(timeout, "connection_ack", connect(settings, access_token, timeout)).await
    }

    /// Subscribes to one session's events; returns the subscription's id after its `start_ack`.
    pub async fn subscribe(&mut self, session_id: &str) -> Result<String, ProbeError> {
        self.subscribe_to(SUBSCRIPTION, &json!({"sessionId": session_id})).await
    }

    /// Any subscription.
    pub async fn subscribe_to(&mut self, query: &str, variables: &Value) -> Result<String, ProbeError> {
        let id = Uuid::new_v4().to_string();
        // `data` is JSON in a string: AppSync passes it on as it is.
        let data = json!({"query": query, "variables": variables}).to_string();
        let extensions = json!({"authorization": self.authorization});
        let payload = json!({"data": data, "extensions": extensions});
        let start = json!({"type": "start", "id": id, "payload": payload});
        net::within(self.timeout, "start_ack", self.start(&start, &id)).await?;
        Ok(id)
    }

    /// The next message of any subscription; `None` once the server has closed. Keep-alives are passed over.
    pub async fn next(&mut self, timeout: Duration) -> Result<Option<Message>, ProbeError> {
        net::within(timeout, "the next message", self.message()).await
    }

    /// Stops these subscriptions, says goodbye and waits a moment for the answer.
    pub async fn close(mut self, subscriptions: &[&str]) {
        let goodbye = async {
            for id in subscriptions {
                self.send(&json!({"type": "stop", "id": id})).await?;
            }
            self.socket.close(None).await.map_err(broken)?;
            while net::next_text(&mut self.socket).await?.is_some() {}
            Ok::<_, ProbeError>(())
        };
        // Whatever happens to a goodbye, the connection is over.
        let _ = tokio::time::timeout(CLOSE_TIME, goodbye).await;
    }

    /// [`Self::next`] without a bound. Safe to cancel.
    pub(super) async fn message(&mut self) -> Result<Option<Message>, ProbeError> {
        if let Some(message) = self.pending.pop_front() {
            return Ok(Some(message));
        }
        match self.frame().await? {
            Some(Frame::Message(message)) => Ok(Some(message)),
            Some(Frame::ConnectionError(payload)) => Err(events::refused("connection", &payload)),
            Some(Frame::ConnectionAck | Frame::StartAck(_)) => Err(unexpected("among the events")),
            None => Ok(None),
        }
    }

    async fn start(&mut self, start: &Value, id: &str) -> Result<(), ProbeError> {
        self.send(start).await?;
        loop {
            match self.frame().await? {
                Some(Frame::StartAck(acknowledged)) if acknowledged == id => return Ok(()),
                Some(Frame::Message(Message::Error { id: about, payload }))
                    if about.as_ref().is_none_or(|about| about == id) =>
                {
                    return Err(events::refused("subscription", &payload));
                }
                Some(Frame::Message(message)) => self.pending.push_back(message),
                Some(Frame::ConnectionAck | Frame::ConnectionError(_) | Frame::StartAck(_)) => {
                    return Err(unexpected("instead of start_ack"));
                }
                None => return Err(ProbeError::Ended),
            }
        }
    }

    async fn send(&mut self, message: &Value) -> Result<(), ProbeError> {
        self.socket.send(tungstenite::Message::text(message.to_string())).await.map_err(broken)
    }

    async fn frame(&mut self) -> Result<Option<Frame>, ProbeError> {
        while let Some(text) = net::next_text(&mut self.socket).await? {
            if let Some(frame) = parse(&text)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }
}

async fn connect(settings: &Settings, access_token: &str, timeout: Duration) -> Result<Realtime, OpenError> {
    let url = require(&settings.graphql_realtime_url, "VITE_GRAPHQL_REALTIME_URL")?;
    let host = net::host(&require(&settings.graphql_url, "VITE_GRAPHQL_URL")?);
    let authorization = json!({"Authorization": access_token, "host": host});
    let header = URL_SAFE_NO_PAD.encode(authorization.to_string());
    let (socket, chosen) = net::upgrade(&url, &format!("graphql-ws, header-{header}")).await?;
    if chosen.as_deref() != Some("graphql-ws") {
        return Err(ProbeError::Protocol("the server did not choose graphql-ws".to_owned()).into());
    }
    let mut realtime = Realtime { socket, authorization, pending: VecDeque::new(), timeout };
    realtime.send(&json!({"type": "connection_init"})).await?;
    match realtime.frame().await? {
        Some(Frame::ConnectionAck) => Ok(realtime),
        Some(Frame::ConnectionError(payload)) => Err(events::refused("connection", &payload).into()),
        Some(Frame::StartAck(_) | Frame::Message(_)) => Err(unexpected("before connection_ack").into()),
        None => Err(ProbeError::Ended.into()),
    }
}

enum Frame {
    ConnectionAck,
    ConnectionError(Value),
    StartAck(String),
    Message(Message),
}

/// `None` is a keep-alive.
fn parse(text: &Text) -> Result<Option<Frame>, ProbeError> {
    let mut message: Value = serde_json::from_str(&text.text).map_err(|_| unexpected("that is not JSON"))?;
    let payload = message["payload"].take();
    let id = message["id"].as_str().map(str::to_owned);
    let named = || id.clone().ok_or_else(|| unexpected("without an id"));
    Ok(Some(match message["type"].as_str() {
        Some("ka") => return Ok(None),
        Some("connection_ack") => Frame::ConnectionAck,
        Some("connection_error") => Frame::ConnectionError(payload),
        Some("start_ack") => Frame::StartAck(named()?),
        Some("data") => {
            Frame::Message(Message::Data { id: named()?, payload, at: text.at, bytes: text.text.len() })
        }
        Some("error") => Frame::Message(Message::Error { id, payload }),
        Some("complete") => Frame::Message(Message::Complete { id: named()? }),
        Some(_) | None => return Err(unexpected("of unknown type")),
    }))
}

fn unexpected(what: &str) -> ProbeError {
    ProbeError::Protocol(format!("AppSync sent a realtime message {what}"))
}

// By value, so that it can be passed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn broken(error: tungstenite::Error) -> ProbeError {
    ProbeError::Broken(error.to_string())
}
