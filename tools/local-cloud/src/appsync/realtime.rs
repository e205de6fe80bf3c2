//! The realtime protocol ("Building a real-time WebSocket client in AWS AppSync"), for Cognito callers.

use std::{sync::Arc, time::Duration};

use apollo_compiler::executable::OperationType;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, interval_at};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{
    Api,
    document::Request,
    execute::execute,
    fault::Fault,
    filter::Filter,
    handshake::{ConnectError, Credentials},
    hub::{Hub, Inbox, Outbound, Outbox, Subscription},
};

pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A client that gets no `ka` for this long may close.
const CONNECTION_TIMEOUT_MS: u32 = 300_000;
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// Says why the connection was refused, and closes: after the upgrade, as AppSync does, for a browser could not
/// read a refused upgrade.
pub(crate) async fn refuse(mut socket: Socket, error: ConnectError) {
    let message = json!({ "type": "connection_error", "payload": { "errors": [error.to_json()] } });
    // The client may be gone; there is nobody else to tell.
    let _ = socket.send(Message::text(message.to_string())).await;
    let _ = socket.close(None).await;
}

/// Serves one socket until it closes, or its client stops reading.
pub(crate) async fn serve(api: Arc<Api>, socket: Socket) {
    let (outbox, Inbox { mut messages, stuck }) = Outbox::new();
    let id = uuid::Uuid::new_v4();
    let (mut sink, mut stream) = socket.split();
    let _guard = Leave { hub: &api.hub, id };
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Text(text) => receive(&api, id, &text, &outbox).await,
                Message::Binary(_) => outbox.push(&error(None, &unsupported("binary"))),
                Message::Close(_) => break,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    };
    let write = async {
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        loop {
            let text = tokio::select! {
                Some(outbound) = messages.recv() => match outbound {
                    Outbound::Text(text) => text,
                    Outbound::Cut => break,
                },
                _ = keep_alive.tick() => json!({ "type": "ka" }).to_string(),
            };
            if sink.send(Message::text(text)).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
        () = stuck.notified() => {}
    }
}

/// However `serve` ends, the socket's subscriptions end with it.
struct Leave<'h> {
    hub: &'h Hub,
    id: uuid::Uuid,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.hub.remove_socket(self.id);
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    payload: Option<Value>,
}

#[derive(Deserialize)]
struct Start {
    /// A GraphQL request, as a string.
    data: String,
    extensions: Extensions,
}

#[derive(Deserialize)]
struct Extensions {
    authorization: Credentials,
}

async fn receive(api: &Api, socket: uuid::Uuid, text: &str, outbox: &Outbox) {
    let Ok(message) = serde_json::from_str::<Envelope>(text) else {
        return outbox.push(&error(None, &unsupported("unknown")));
    };
    match (message.kind.as_deref(), message.id) {
        (Some("connection_init"), _) => {
            let payload = json!({ "connectionTimeoutMs": CONNECTION_TIMEOUT_MS });
            outbox.push(&json!({ "type": "connection_ack", "payload": payload }));
        }
        (Some("start"), Some(id)) => {
            if let Err(errors) = start(api, socket, &id, message.payload, outbox).await {
                outbox.push(&json!({ "type": "error", "id": id, "payload": { "errors": errors } }));
            }
        }
        (Some("stop"), Some(id)) => outbox.push(&if api.hub.remove(socket, &id) {
            json!({ "type": "complete", "id": id })
        } else {
            error(Some(&id), &Fault::new("UnknownOperationError", format!("Unknown operation id {id}")))
        }),
        (_, id) => outbox.push(&error(id.as_deref(), &unsupported("unknown"))),
    }
}

/// Authorizes and validates the subscription, runs its resolver, and registers its filter.
async fn start(
    api: &Api,
    socket: uuid::Uuid,
    id: &str,
    payload: Option<Value>,
    outbox: &Outbox,
) -> Result<(), Value> {
    let start: Start =
        serde_json::from_value(payload.unwrap_or_default()).map_err(|_| errors(&unsupported("unknown")))?;
    let caller = start
        .extensions
        .authorization
        .authenticate(&*api.authority)
        .map_err(|refused| json!([refused.to_json()]))?;
    let request = Request::parse(&api.schema, start.data.as_bytes())
        .map_err(|refusal| refusal.into_body()["errors"].take())?;
    match request.kind() {
        OperationType::Subscription => {}
        OperationType::Query => return Err(errors(&unsupported("query"))),
        OperationType::Mutation => return Err(errors(&unsupported("mutation"))),
    }
    let mut outcome = execute(api, &request, &caller, &json!({})).await;
    if let Some(errors) = outcome.response.get_mut("errors") {
        return Err(errors.take());
    }
    // GraphQL allows a subscription one root field, and validation has seen to it; @skip may leave none.
    let Some(registered) = outcome.registered.pop() else { return Err(errors(&unsupported("unknown"))) };
    let filter = match &registered.filter {
        Some(filter) => Filter::parse(filter)
            .map_err(|why| errors(&Fault::new("InvalidSubscriptionFilter", why.to_string())))?,
        None => Filter::from_arguments(&registered.arguments),
    };
    let field = registered.field;
    let subscription =
        Subscription { socket, id: id.to_owned(), field, filter, request, outbox: outbox.clone() };
    if api.hub.add(subscription, &json!({ "type": "start_ack", "id": id })) {
        Ok(())
    } else {
        Err(errors(&Fault::new("DuplicatedOperationError", "Duplicated Operation")))
    }
}

fn unsupported(what: &str) -> Fault {
    Fault::new("UnsupportedOperation", format!("{what} not supported through the realtime channel"))
}

fn errors(fault: &Fault) -> Value {
    json!([{ "errorType": fault.error_type, "message": fault.message }])
}

fn error(id: Option<&str>, fault: &Fault) -> Value {
    let mut message = json!({ "type": "error", "payload": { "errors": errors(fault) } });
    if let Some(id) = id {
        message["id"] = json!(id);
    }
    message
}
