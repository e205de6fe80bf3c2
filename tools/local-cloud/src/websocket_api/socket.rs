//! A connection from its upgrade to `$disconnect`: frames in, frames out, and the limits on both.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::ProtocolError,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

use super::{
    Api, MAX_FRAME, MAX_MESSAGE,
    connection::{Connection, Outbound},
    events,
    events::Disconnect,
    messages,
};

/// How long the other side may take to say goodbye.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Sink = SplitSink<Socket, Message>;

pub(super) async fn run(
    api: Arc<Api>,
    connection: Arc<Connection>,
    queue: mpsc::Receiver<Outbound>,
    on_upgrade: OnUpgrade,
) {
    let why = match on_upgrade.await {
        Ok(upgraded) => converse(&api, &connection, queue, upgraded).await,
        Err(_) => abnormal(),
    };
    api.connections().remove(&connection.client.connection_id);
    let event = events::disconnect(&api.config.stage, &connection, &why).to_string();
    // Best effort on AWS too, and nobody is left to tell.
    drop(api.lambda.invoke(&api.config.session, Bytes::from(event)).await);
}

/// Why the conversation is over.
enum Ending {
    ByClient(Disconnect),
    /// The server has to send this.
    ByServer(CloseFrame),
    Lost,
}

async fn converse(
    api: &Arc<Api>,
    connection: &Arc<Connection>,
    queue: mpsc::Receiver<Outbound>,
    upgraded: Upgraded,
) -> Disconnect {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        // Each frame leaves at once.
        .write_buffer_size(0)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (sink, mut stream) = socket.split();
    let (close, closing) = oneshot::channel();
    let writer = tokio::spawn(write(sink, queue, closing, Arc::clone(connection)));
    let ending = read(api, connection, &mut stream).await;
    // From here on a post finds the connection gone.
    api.connections().remove(&connection.client.connection_id);
    match ending {
        Ending::ByClient(why) => {
            // The close frame is answered while the stream is read to its end.
            drop(timeout(CLOSE_GRACE, async { while let Some(Ok(_)) = stream.next().await {} }).await);
            writer.abort();
            why
        }
        Ending::ByServer(frame) => {
            let why = Disconnect { code: frame.code.into(), reason: frame.reason.as_str().to_owned() };
            drop(close.send(frame));
            if let Ok(sink) = writer.await
                && let Ok(socket) = sink.reunite(stream)
            {
                drop(timeout(CLOSE_GRACE, hang_up(socket)).await);
            }
            why
        }
        Ending::Lost => {
            writer.abort();
            abnormal()
        }
    }
}

async fn read(api: &Arc<Api>, connection: &Arc<Connection>, stream: &mut SplitStream<Socket>) -> Ending {
    let lifetime = Instant::now() + api.config.max_duration;
    loop {
        let (active, _) = connection.last_active();
        let message = tokio::select! {
            message = stream.next() => message,
            () = sleep_until((active + api.config.idle_timeout).min(lifetime)) => {
                let (active, _) = connection.last_active();
                let now = Instant::now();
                if active + api.config.idle_timeout <= now || lifetime <= now {
                    return by_server(CloseCode::Away, "Going away");
                }
                continue;
            }
            () = connection.deleted.notified() => {
                return by_server(CloseCode::Normal, "Connection Closed Normally");
            }
            () = connection.cut.notified() => return Ending::Lost,
        };
        connection.touch();
        match message {
            // Messages of one connection are handled at the same time, as API Gateway does: a slow one
            // does not hold up the next.
            Some(Ok(Message::Text(text))) => {
                tokio::spawn(messages::text(Arc::clone(api), Arc::clone(connection), text));
            }
            Some(Ok(Message::Binary(data))) => {
                tokio::spawn(messages::binary(Arc::clone(api), Arc::clone(connection), data));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(frame))) => {
                return Ending::ByClient(match frame {
                    Some(frame) => {
                        Disconnect { code: frame.code.into(), reason: frame.reason.as_str().to_owned() }
                    }
                    None => {
                        Disconnect { code: 1005, reason: "Client-side close frame status not set".to_owned() }
                    }
                });
            }
            Some(Err(error)) => return broken(&error),
            None => return Ending::Lost,
        }
    }
}

fn broken(error: &Error) -> Ending {
    match error {
        Error::Capacity(_) => by_server(CloseCode::Size, "Message too big"),
        Error::Utf8(_) => by_server(CloseCode::Invalid, "Invalid UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Tls(_)
        | Error::WriteBufferFull(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => Ending::Lost,
        Error::Protocol(_) => by_server(CloseCode::Protocol, "Protocol error"),
    }
}

fn by_server(code: CloseCode, reason: &'static str) -> Ending {
    Ending::ByServer(CloseFrame { code, reason: reason.into() })
}

fn abnormal() -> Disconnect {
    Disconnect { code: 1006, reason: "Connection closed abnormally".to_owned() }
}

/// Sends what is queued, in order; when it is told to close, what was accepted goes out first.
async fn write(
    mut sink: Sink,
    mut queue: mpsc::Receiver<Outbound>,
    mut closing: oneshot::Receiver<CloseFrame>,
    connection: Arc<Connection>,
) -> Sink {
    let frame = loop {
        let message = tokio::select! {
            Some(outbound) = queue.recv() => match outbound {
                Outbound::Message(message) => message,
                Outbound::Cut => {
                    connection.cut.notify_one();
                    return sink;
                }
            },
            frame = &mut closing => break frame,
        };
        // Not abandoned half way when told to close: the rest of its frames have to follow.
        let (sent, frame) = {
            let mut sending = pin!(send(&mut sink, message));
            tokio::select! {
                sent = &mut sending => (sent.is_ok(), None),
                frame = &mut closing => {
                    (timeout(CLOSE_GRACE, sending).await.is_ok_and(|sent| sent.is_ok()), Some(frame))
                }
            }
        };
        match frame {
            // The reader sees the same broken connection, and says so.
            _ if !sent => return sink,
            Some(frame) => break frame,
            None => connection.touch(),
        }
    };
    let goodbye = async {
        while let Ok(Outbound::Message(message)) = queue.try_recv() {
            send(&mut sink, message).await?;
        }
        sink.send(Message::Close(frame.ok())).await
    };
    drop(timeout(CLOSE_GRACE, goodbye).await);
    sink
}

/// One text message, in frames of at most 32 KB: API Gateway's own limit, in this direction too.
async fn send(sink: &mut Sink, message: Bytes) -> Result<(), Error> {
    let mut rest = message;
    let mut opcode = OpCode::Data(Data::Text);
    loop {
        let payload = rest.split_to(rest.len().min(MAX_FRAME));
        let last = rest.is_empty();
        sink.send(Message::Frame(Frame::message(payload, opcode, last))).await?;
        if last {
            return Ok(());
        }
        opcode = OpCode::Data(Data::Continue);
    }
}

/// Reads what the client still sends: closing over unread data would reset the connection, and the close
/// frame could be lost.
async fn hang_up(mut socket: Socket) {
    let io = socket.get_mut();
    drop(io.shutdown().await);
    let mut ignored = [0; 4096];
    while io.read(&mut ignored).await.is_ok_and(|length| length > 0) {}
}
