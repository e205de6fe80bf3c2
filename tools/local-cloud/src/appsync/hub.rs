//! The subscriptions of every socket, and the delivery of published events to those that match.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc};

use super::{
    document::Request,
    execute::{Published, for_subscriber},
    filter::Filter,
    schema::ApiSchema,
};
use crate::faults::{Delivered, Faults, Planned, To};

/// A larger message is dropped without a word ("AWS AppSync endpoints and quotas").
const MESSAGE_LIMIT: usize = 240 * 1024;

/// Messages that may wait for a client that reads slowly.
const OUTBOX_CAPACITY: usize = 256;

/// Every subscription of the API, in the order in which they were made.
pub(crate) struct Hub {
    subscriptions: Mutex<Vec<Subscription>>,
    faults: Faults,
}

/// One accepted `start`.
pub(crate) struct Subscription {
    /// Ids are unique per socket only.
    pub(crate) socket: uuid::Uuid,
    pub(crate) id: String,
    pub(crate) field: String,
    pub(crate) filter: Filter,
    pub(crate) request: Request,
    pub(crate) outbox: Outbox,
}

/// The way to one socket. Never waits: a client that does not read must not hold up the others.
#[derive(Clone)]
pub(crate) struct Outbox {
    sender: mpsc::Sender<Outbound>,
    stuck: Arc<Notify>,
}

/// What is queued for a socket.
pub(crate) enum Outbound {
    Text(String),
    /// The connection breaks when everything before is sent.
    Cut,
}

/// The socket's end of an `Outbox`.
pub(crate) struct Inbox {
    pub(crate) messages: mpsc::Receiver<Outbound>,
    /// Notified when the client has not read for too long.
    pub(crate) stuck: Arc<Notify>,
}

impl Hub {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { subscriptions: Mutex::default(), faults }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// False if the socket has a subscription of that id. Nothing is delivered before `ack`.
    pub(crate) fn add(&self, subscription: Subscription, ack: &Value) -> bool {
        let mut subscriptions = self.lock();
        if subscriptions.iter().any(|other| other.is(subscription.socket, &subscription.id)) {
            return false;
        }
        subscription.outbox.push(ack);
        subscriptions.push(subscription);
        true
    }

    /// False if there is none.
    pub(crate) fn remove(&self, socket: uuid::Uuid, id: &str) -> bool {
        let mut subscriptions = self.lock();
        let before = subscriptions.len();
        subscriptions.retain(|subscription| !subscription.is(socket, id));
        subscriptions.len() < before
    }

    pub(crate) fn remove_socket(&self, socket: uuid::Uuid) {
        self.lock().retain(|subscription| subscription.socket != socket);
    }

    /// Queues the event for each subscription that it concerns. In order: the lock is held throughout.
    pub(crate) fn publish(&self, schema: &ApiSchema, published: &Published) {
        let planned = self.planned(&published.event);
        for subscription in self.lock().iter() {
            let concerned = schema.feeds(&published.mutation, &subscription.field)
                && subscription.filter.matches(&published.event);
            if concerned {
                let payload = for_subscriber(schema, &subscription.request, &published.event);
                let message =
                    json!({ "id": subscription.id, "type": "data", "payload": payload }).to_string();
                if message.len() <= MESSAGE_LIMIT {
                    subscription.outbox.deliver(message, planned.as_deref());
                }
            }
        }
    }

    /// The plan of the event's stream, which is told of it. By the whole event: a subscription may have selected
    /// nothing that tells its stream.
    fn planned(&self, event: &Map<String, Value>) -> Option<Arc<Planned>> {
        if self.faults.is_empty() {
            return None;
        }
        let event = Bytes::from(json!(event).to_string());
        let planned = self.faults.of(&event)?;
        planned.note(To::Subscribers, event);
        Some(planned)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Subscription>> {
        self.subscriptions.lock().expect("no poison")
    }
}

impl Subscription {
    fn is(&self, socket: uuid::Uuid, id: &str) -> bool {
        self.socket == socket && self.id == id
    }
}

impl Outbox {
    pub(crate) fn new() -> (Self, Inbox) {
        let (sender, messages) = mpsc::channel(OUTBOX_CAPACITY);
        let stuck = Arc::new(Notify::new());
        (Self { sender, stuck: Arc::clone(&stuck) }, Inbox { messages, stuck })
    }

    pub(crate) fn push(&self, message: &Value) {
        self.queue(Outbound::Text(message.to_string()));
    }

    /// As far as a plan lets it.
    fn deliver(&self, message: String, planned: Option<&Planned>) {
        let Some(planned) = planned else { return self.queue(Outbound::Text(message)) };
        let Delivered { messages, cut } = planned.pass(Bytes::from(message));
        for message in messages {
            self.queue(Outbound::Text(String::from_utf8_lossy(&message).into_owned()));
        }
        if cut {
            self.queue(Outbound::Cut);
        }
    }

    fn queue(&self, outbound: Outbound) {
        match self.sender.try_send(outbound) {
            // Closed: the socket is going away by itself.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => self.stuck.notify_one(),
        }
    }
}
