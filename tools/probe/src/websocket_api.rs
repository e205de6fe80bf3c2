//! websocket-api: one WebSocket, JSON messages with an `action` up, the contract's events down.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    ContractError, DEFAULT_TIMEOUT, OpenError, ProbeError, Received, Request, Settings,
    intake::Intake,
    net::{self, Socket, Text},
    settings::require,
};

/// The subprotocol that carries the events. The token rides along as a second one, so that it is in no URL and in no
/// access log; the server must never choose that one, because the choice is echoed.
pub const SUBPROTOCOL: &str = "llm-stream.v1";

/// API Gateway closes a connection over a larger frame, in bytes. A browser cannot split a message, so what it sends
/// must be shorter altogether.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const MAX_FRAME: usize = 32 * 1024;

/// How long a polite goodbye may take.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// How long a refusal to cancel may take.
const SILENCE: Duration = Duration::from_secs(2);

/// One connection; several streams may run on it.
pub struct Connection {
    socket: Socket,
}

impl Connection {
    /// Connects with the access token; the negotiated subprotocol is then `llm-stream.v1`.
    pub async fn open(settings: &Settings, access_token: &str) -> Result<Self, OpenError> {
        Self::open_with(settings, &[SUBPROTOCOL, &format!("bearer.{access_token}")]).await
    }

    /// Connects with any subprotocols, or none.
    pub async fn open_with(settings: &Settings, subprotocols: &[&str]) -> Result<Self, OpenError> {
        net::within(DEFAULT_TIMEOUT, "the upgrade", open(settings, subprotocols)).await
    }

    /// In frames of at most 32 KB.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), ProbeError> {
        let text = Bytes::from(text.into());
        let mut frames = text.chunks(MAX_FRAME).map(|frame| text.slice_ref(frame)).peekable();
        let mut kind = OpCode::Data(Data::Text);
        loop {
            let payload = frames.next().unwrap_or_default();
            let is_final = frames.peek().is_none();
            self.send(Message::Frame(Frame::message(payload, kind, is_final))).await?;
            if is_final {
                return Ok(());
            }
            kind = OpCode::Data(Data::Continue);
        }
    }

    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), ProbeError> {
        self.send(Message::binary(bytes.into())).await
    }

    /// The next event of any stream; `None` once the server has closed. API Gateway's own messages have no `type`
    /// and are passed over.
    pub async fn next_event(&mut self, timeout: Duration) -> Result<Option<Received>, ProbeError> {
        net::within(timeout, "the next event", self.event()).await
    }

    /// Says goodbye and waits a moment for the answer.
    pub async fn close(mut self) {
        let goodbye = async {
            self.socket.close(None).await?;
            while let Ok(Some(Text { .. })) = net::next_text(&mut self.socket).await {}
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        };
        // Whatever happens to a goodbye, the connection is over.
        let _ = tokio::time::timeout(CLOSE_TIME, goodbye).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), ProbeError> {
        let sending =
            async { self.socket.send(message).await.map_err(|error| ProbeError::Broken(error.to_string())) };
        net::within(DEFAULT_TIMEOUT, "room to send", sending).await
    }

    /// Safe to cancel.
    async fn event(&mut self) -> Result<Option<Received>, ProbeError> {
        while let Some(Text { at, text }) = net::next_text(&mut self.socket).await? {
            let event: Value = serde_json::from_str(&text)
                .map_err(|_| ProbeError::Protocol("the server sent a message that is not JSON".to_owned()))?;
            if event["type"].is_string() {
                return Ok(Some(Received { at, event, bytes: text.len() }));
            }
        }
        Ok(None)
    }
}

/// Asks for the end of a stream, on a connection of its own. The stream says itself that it ends, where it runs; here
/// only a refusal is said, so that after a while of silence there was none.
pub async fn cancel(settings: &Settings, access_token: &str, stream_id: &str) -> Result<(), ProbeError> {
    let mut connection = Connection::open(settings, access_token).await?;
    connection.send_text(cancel_message(stream_id)).await?;
    let refused = tokio::time::timeout(SILENCE, async {
        loop {
            let event = connection.event().await?.ok_or(ProbeError::Ended)?.event;
            if let Some(error) = ContractError::of(&event, None) {
                return Err(error.into());
            }
        }
    });
    let refused = refused.await;
    connection.close().await;
    refused.unwrap_or(Ok(()))
}

/// What ends a stream.
pub fn cancel_message(stream_id: &str) -> String {
    json!({"action": "cancel", "stream_id": stream_id}).to_string()
}

/// What asks for the events after a number, or all.
pub fn resume_message(stream_id: &str, after: Option<u64>) -> String {
    let mut message = json!({"action": "resume", "stream_id": stream_id});
    if let Some(after) = after {
        message["after"] = after.into();
    }
    message.to_string()
}

pub(crate) async fn run<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    follow(settings, access_token, message(request), request, intake).await
}

pub(crate) async fn resume<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    stream: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let message = resume_message(&stream.stream_id, intake.last());
    follow(settings, access_token, message, stream, intake).await
}

async fn follow<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    message: String,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let bearer = format!("bearer.{access_token}");
    let subprotocols = [SUBPROTOCOL, bearer.as_str()];
    let opening = open(settings, &subprotocols);
    let mut connection = net::within(intake.timeout, "the upgrade", opening).await?;
    intake.trace.connected.get_or_insert_with(Instant::now);
    connection.send_text(message).await?;
    while !intake.ended() {
        let event = match tokio::time::timeout_at(intake.deadline(), connection.event()).await {
            Ok(event) => event?.ok_or_else(|| intake.closed())?,
            Err(_) => return Err(intake.expired()),
        };
        if request.owns(&event.event) {
            intake.take(event)?;
        }
    }
    connection.close().await;
    Ok(())
}

async fn open(settings: &Settings, subprotocols: &[&str]) -> Result<Connection, OpenError> {
    let url = require(&settings.websocket_url, "VITE_WEBSOCKET_URL")?;
    let (socket, chosen) = net::upgrade(&url, &subprotocols.join(", ")).await?;
    if chosen.as_deref() != Some(SUBPROTOCOL) {
        return Err(ProbeError::Protocol(format!("the server did not choose {SUBPROTOCOL}")).into());
    }
    Ok(Connection { socket })
}

/// The request with the route's name. A body that is not an object goes out as it is, for the server to refuse.
fn message(request: &Request) -> String {
    let mut message = request.body.clone();
    if let Value::Object(fields) = &mut message {
        fields.insert("action".to_owned(), Value::from("stream"));
    }
    message.to_string()
}
