//! Scripted faults: what goes wrong with which stream, and at which of its calls. By itself nothing does.
//!
//! A plan belongs to a marker, a text that every message of the stream contains. A stream id is one: it is in each
//! request, queue message and event, and in the prompt, if the one who plans repeats it there. The empty marker is
//! in everything.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::bedrock::ModelCall;

pub use plan::{At, CallFault, DeliveryFault, Plan, QueueFault};

pub(crate) mod calls;
pub(crate) mod control;
mod plan;
#[cfg(test)]
mod tests;

/// Every plan. Cheap to clone.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Arc<Planned>>>>);

/// A plan, how far it has come, and what was sent to the client of its stream.
#[derive(Default)]
pub struct Planned {
    marker: String,
    pub plan: Plan,
    posts: AtomicUsize,
    publishes: AtomicUsize,
    sends: AtomicUsize,
    stored: AtomicUsize,
    deliveries: AtomicUsize,
    tokens: AtomicUsize,
    model_calls: Mutex<Vec<Arc<Mutex<ModelCall>>>>,
    refusals: AtomicUsize,
    /// When a fault first met a call.
    met: Mutex<Option<Instant>>,
    sent: Mutex<Vec<(Instant, To, Bytes)>>,
    /// A message that is to be delivered after the next.
    held: Mutex<Option<Bytes>>,
    pub(crate) kill: Notify,
}

/// To whom something is sent: a stream may have several readers, one after the other or at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// A portion of the answer to this request of a Function URL.
    Request(String),
    /// A message to this connection of the WebSocket API.
    Connection(String),
    /// An event of AppSync, to whoever subscribes.
    Subscribers,
}

/// The calls that can be met by a [`CallFault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plane {
    Posts,
    Publishes,
    Sends,
    Store,
}

/// What is left of one delivery.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delivered {
    pub(crate) messages: Vec<Bytes>,
    /// Then the connection breaks.
    pub(crate) cut: bool,
}

impl Faults {
    /// From now on; what was planned for this marker before is over.
    pub fn plan(&self, marker: &str, plan: Plan) -> Arc<Planned> {
        let planned = Arc::new(Planned::new(marker, plan));
        let mut plans = self.lock();
        plans.retain(|other| other.marker != marker);
        plans.push(Arc::clone(&planned));
        planned
    }

    pub fn forget(&self, marker: &str) {
        self.lock().retain(|planned| planned.marker != marker);
    }

    /// What was planned for this marker, if that is in force.
    pub fn planned(&self, marker: &str) -> Option<Arc<Planned>> {
        self.lock().iter().find(|planned| planned.marker == marker).map(Arc::clone)
    }

    /// The plan of the stream that this message belongs to; the latest one if there are several.
    pub(crate) fn of(&self, message: &[u8]) -> Option<Arc<Planned>> {
        let plans = self.lock();
        if plans.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(message);
        plans.iter().rev().find(|planned| text.contains(&planned.marker)).map(Arc::clone)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Planned>>> {
        self.0.lock().expect("nothing panics while it holds the plans")
    }
}

impl Planned {
    fn new(marker: &str, plan: Plan) -> Self {
        Self { marker: marker.to_owned(), plan, ..Self::default() }
    }

    /// What functions have sent so far, before anything happens to it on its way to the client: each accepted
    /// post, the event of each accepted mutation (the fields that it selected, as a JSON object), whether or not
    /// somebody subscribes, and each portion of a Function URL's answer.
    pub fn sent(&self) -> Vec<(Instant, Bytes)> {
        self.lock_sent().iter().map(|(at, _, message)| (*at, message.clone())).collect()
    }

    /// The same, for each of those to whom it was sent.
    pub fn sent_to(&self) -> Vec<(To, Vec<Bytes>)> {
        let mut all: Vec<(To, Vec<Bytes>)> = Vec::new();
        for (_, to, message) in self.lock_sent().iter() {
            match all.iter_mut().find(|(other, _)| other == to) {
                Some((_, messages)) => messages.push(message.clone()),
                None => all.push((to.clone(), vec![message.clone()])),
            }
        }
        all
    }

    fn lock_sent(&self) -> MutexGuard<'_, Vec<(Instant, To, Bytes)>> {
        self.sent.lock().expect("nothing panics while it holds what was sent")
    }

    /// How many calls there were: posts, publishes, sends.
    pub fn calls(&self) -> [usize; 3] {
        [&self.posts, &self.publishes, &self.sends].map(|count| count.load(Ordering::SeqCst))
    }

    /// The calls of the model, as [`Bedrock::calls_of`](crate::bedrock::Bedrock::calls_of) tells them, without a search.
    pub fn model_calls(&self) -> Vec<ModelCall> {
        let calls = self.model_calls.lock().expect("nothing panics while it holds the calls");
        calls.iter().map(|call| call.lock().expect("a call's lock").clone()).collect()
    }

    pub(crate) fn note_call(&self, call: Arc<Mutex<ModelCall>>) {
        self.model_calls.lock().expect("nothing panics while it holds the calls").push(call);
    }

    /// How many calls of DynamoDB there were.
    pub fn stored(&self) -> usize {
        self.stored.load(Ordering::SeqCst)
    }

    /// When the first call or delivery was met by a fault.
    pub fn first_met(&self) -> Option<Instant> {
        *self.met.lock().expect("nothing panics while it holds a time")
    }

    /// Counts a call, and says what is to happen to it.
    pub(crate) fn call(&self, plane: Plane) -> Option<CallFault> {
        let (count, faults) = match plane {
            Plane::Posts => (&self.posts, &self.plan.posts),
            Plane::Publishes => (&self.publishes, &self.plan.publishes),
            Plane::Sends => (&self.sends, &self.plan.sends),
            Plane::Store => (&self.stored, &self.plan.store),
        };
        let call = count.fetch_add(1, Ordering::SeqCst);
        let fault = faults.iter().find(|at| at.meets(call)).map(|at| at.fault);
        if fault.is_some() {
            self.meet();
        }
        fault
    }

    fn meet(&self) {
        self.met.lock().expect("nothing panics while it holds a time").get_or_insert_with(Instant::now);
    }

    /// Notes what a function has sent, and says what of it reaches the client.
    pub(crate) fn deliver(&self, to: To, message: Bytes) -> Delivered {
        self.note(to, message.clone());
        self.pass(message)
    }

    /// Notes what a function has sent.
    pub(crate) fn note(&self, to: To, message: Bytes) {
        self.lock_sent().push((Instant::now(), to, message));
    }

    /// What of a message reaches the client, or one of them.
    pub(crate) fn pass(&self, message: Bytes) -> Delivered {
        let call = self.deliveries.fetch_add(1, Ordering::SeqCst);
        let fault = self.plan.deliveries.iter().find(|at| at.meets(call)).map(|at| at.fault);
        if fault.is_some() {
            self.meet();
        }
        let mut held = self.held.lock().expect("nothing panics while it holds a message");
        let messages = match fault {
            None => [Some(message), held.take()].into_iter().flatten().collect(),
            Some(DeliveryFault::Lose) => held.take().into_iter().collect(),
            Some(DeliveryFault::Repeat) => {
                [Some(message.clone()), Some(message), held.take()].into_iter().flatten().collect()
            }
            Some(DeliveryFault::Swap) => held.replace(message).into_iter().collect(),
            Some(DeliveryFault::Cut) => return Delivered { messages: Vec::new(), cut: true },
        };
        Delivered { messages, cut: false }
    }

    /// Whether the model refuses this call, as it does the first so many of the plan.
    pub(crate) fn refuses(&self, times: usize) -> bool {
        self.refusals.fetch_add(1, Ordering::SeqCst) < times
    }

    /// Counts a token of the model; whoever works on the stream when it is the last one dies of it. Nobody who
    /// comes later: the signal is not kept.
    pub(crate) fn token(&self) {
        let tokens = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        if self.plan.kill_after_tokens == Some(tokens) {
            self.kill.notify_waiters();
        }
    }
}
