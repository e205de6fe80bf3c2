//! Servers that do one thing once.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt, StreamExt};
use probe::{Received, Trace};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

/// A request as a fake saw it: the head in lower case, as header names have no case.
pub struct Seen {
    pub head: String,
    pub body: Value,
}

/// An answer that ends with its connection.
pub fn answer(status: &str, content_type: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n{body}")
}

/// The contract's events as `(seq, text)`: 0 starts, `None` as a text ends.
pub fn event(stream_id: &str, seq: u64, text: Option<&str>) -> Value {
    match (seq, text) {
        (0, _) => json!({"type": "start", "stream_id": stream_id, "seq": 0, "model": "m"}),
        (_, Some(text)) => json!({"type": "delta", "stream_id": stream_id, "seq": seq, "text": text}),
        (_, None) => json!({"type": "done", "stream_id": stream_id, "seq": seq, "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 7}, "timing": {"first_token_ms": 1, "total_ms": 2}}),
    }
}

/// A stream of these events, each after a ping.
pub fn sse(events: &[Value]) -> String {
    let mut stream = String::new();
    for event in events {
        let _ = write!(stream, ": ping\r\n\r\nid: {}\r\ndata: {event}\r\n\r\n", event["seq"]);
    }
    stream
}

pub fn failure(trace: &Trace) -> &str {
    trace.failure.as_deref().unwrap_or_default()
}

pub fn ignore(_: &Received) {}

pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

/// Answers one POST with these bytes, in portions of this size.
pub async fn http(answer: String, portion: usize) -> (String, JoinHandle<Seen>) {
    let (listener, address) = listen().await;
    let served = tokio::spawn(async move {
        let (mut socket, seen) = receive(&listener).await;
        for portion in answer.as_bytes().chunks(portion) {
            socket.write_all(portion).await.expect("the client reads");
        }
        seen
    });
    (format!("http://{address}/"), served)
}

/// Accepts one connection and reads one request.
pub async fn receive(listener: &TcpListener) -> (TcpStream, Seen) {
    let (mut socket, _) = listener.accept().await.expect("a client");
    socket.set_nodelay(true).expect("a socket");
    let mut bytes = Vec::new();
    loop {
        assert_ne!(socket.read_buf(&mut bytes).await.expect("a request"), 0, "the client left");
        let text = String::from_utf8(bytes.clone()).expect("text");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len() == length.parse::<usize>().expect("a length") {
            let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).expect("JSON") };
            return (socket, Seen { head, body });
        }
    }
}

/// What a fake does with an upgrade.
#[derive(Clone, Copy)]
pub enum Upgrade {
    /// Choose the offered subprotocol at this place.
    Choose(usize),
    /// Choose none.
    Forget,
    Refuse(u16),
}

pub type Server = WebSocketStream<TcpStream>;

/// Accepts one upgrade; returns the socket, if there is one, and the offered subprotocols.
// The error type is the library's.
#[allow(clippy::result_large_err)]
pub async fn upgrade(listener: TcpListener, upgrade: Upgrade) -> (Option<Server>, Vec<String>) {
    let (socket, _) = listener.accept().await.expect("a client");
    socket.set_nodelay(true).expect("a socket");
    let offered = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&offered);
    let server = accept_hdr_async(socket, move |request: &Request, mut response: Response| {
        let header =
            request.headers().get("sec-websocket-protocol").map(|value| value.to_str().expect("text"));
        let protocols: Vec<_> = header.unwrap_or_default().split(", ").map(str::to_owned).collect();
        seen.lock().expect("not poisoned").clone_from(&protocols);
        match upgrade {
            Upgrade::Choose(place) => {
                let chosen = protocols[place].parse().expect("a header");
                response.headers_mut().insert("sec-websocket-protocol", chosen);
                Ok(response)
            }
            Upgrade::Forget => Ok(response),
            Upgrade::Refuse(status) => {
                let mut refusal = ErrorResponse::new(Some(r#"{"message":"Unauthorized"}"#.to_owned()));
                *refusal.status_mut() = status.try_into().expect("a status");
                Err(refusal)
            }
        }
    })
    .await;
    let offered = offered.lock().expect("not poisoned").clone();
    (server.ok(), offered)
}

pub async fn read(server: &mut Server) -> Value {
    let message = server.next().await.expect("a message").expect("a message");
    serde_json::from_str(message.to_text().expect("text")).expect("JSON")
}

/// A client that has noticed an error may be gone already.
pub async fn write(server: &mut Server, message: &Value) {
    let _ = server.send(Message::text(message.to_string())).await;
}

/// Reads until the client has closed; returns what else it said.
pub async fn goodbye(mut server: Server) -> Vec<Value> {
    let mut said = Vec::new();
    while let Some(Ok(message)) = server.next().await {
        if let Message::Text(text) = message {
            said.push(serde_json::from_str(&text).expect("JSON"));
        }
    }
    said
}
