//! Amazon SQS standard queues (AWS JSON 1.0 protocol) and the Lambda event source mapping.
//!
//! Absent on purpose: FIFO queues, batch operations, message attributes; a request that uses one is refused.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use axum::Router;
use tokio::sync::Notify;

use crate::{
    faults::Faults,
    lambda::Lambda,
    sigv4::{ACCOUNT_ID, Identities, REGION},
};
use queue::{Message, Queue, Received};

pub(crate) mod api;
mod error;
mod mapping;
mod planned;
mod queue;

/// What Terraform calls `aws_sqs_queue`.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    pub name: String,
    pub visibility_timeout: Duration,
    pub retention: Duration,
    /// Where a message goes that was received `max_receive_count` times and not deleted.
    pub dead_letter_queue: Option<String>,
    pub max_receive_count: u32,
}

/// What Terraform calls `aws_lambda_event_source_mapping`, with `ReportBatchItemFailures`.
#[derive(Debug, Clone)]
pub struct EventSourceConfig {
    pub queue: String,
    pub function: String,
    pub batch_size: usize,
    pub maximum_concurrency: usize,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Queues {
    inner: Arc<Inner>,
}

impl Queues {
    /// Panics if a dead-letter queue is not one of the queues.
    pub fn new(queues: Vec<QueueConfig>, identities: Identities, faults: Faults) -> Self {
        let names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
        for target in queues.iter().filter_map(|queue| queue.dead_letter_queue.as_deref()) {
            assert!(names.contains(&target), "the dead-letter queue {target} does not exist");
        }
        let changed = names.iter().map(|name| ((*name).to_owned(), Notify::new())).collect();
        let queues = queues.into_iter().map(|config| (config.name.clone(), Queue::new(config))).collect();
        Queues { inner: Arc::new(Inner { identities, faults, queues: Mutex::new(queues), changed }) }
    }

    /// `POST /` with `X-Amz-Target: AmazonSQS.<operation>`. The path is not looked at: some SDKs use the queue's
    /// URL as the endpoint.
    pub fn router(&self) -> Router {
        api::router(self.clone())
    }

    /// Runs until the returned future is dropped.
    pub async fn poll(self, source: EventSourceConfig, lambda: Lambda) {
        let function = source.function.clone();
        let invoke = move |payload| {
            let (lambda, function) = (lambda.clone(), function.clone());
            async move { lambda.invoke(&function, payload).await }
        };
        mapping::run(self, source, invoke).await;
    }

    /// The bodies of the messages in a queue, visible or not. Panics if there is no such queue.
    pub fn messages(&self, queue: &str) -> Vec<String> {
        let mut queues = self.lock();
        let queue = queues.get_mut(queue).expect("a queue of this service");
        queue.expire(Instant::now());
        queue.messages().map(|message| message.body.clone()).collect()
    }

    /// Puts a message in without the checks of `SendMessage`, and returns its id. Panics if there is no such
    /// queue.
    pub fn send(&self, queue: &str, body: String) -> String {
        self.add(queue, Message::new(body, "local", Duration::ZERO)).expect("a queue of this service")
    }

    /// The id of the new message, or `None` if there is no such queue.
    fn add(&self, queue: &str, message: Message) -> Option<String> {
        let id = message.id.clone();
        self.lock().get_mut(queue)?.add(message);
        self.wake(queue);
        Some(id)
    }

    /// Waits up to `wait` (`None`: as long as it takes) for at least one visible message. `None` if there is no
    /// such queue.
    async fn receive(
        &self,
        queue: &str,
        max: usize,
        visibility: Option<Duration>,
        wait: Option<Duration>,
    ) -> Option<Vec<Received>> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        let changed = self.inner.changed.get(queue)?;
        loop {
            // Made before the look into the queue, so that a message that arrives in between wakes it.
            let notified = changed.notified();
            let now = Instant::now();
            let (received, next_visible) = self.take(queue, max, visibility, now)?;
            if !received.is_empty() || deadline.is_some_and(|deadline| deadline <= now) {
                return Some(received);
            }
            match [next_visible, deadline].into_iter().flatten().min() {
                Some(until) => {
                    let _ = tokio::time::timeout_at(until.into(), notified).await;
                }
                None => notified.await,
            }
        }
    }

    /// What is visible now, and when the next message will be.
    fn take(
        &self,
        name: &str,
        max: usize,
        visibility: Option<Duration>,
        now: Instant,
    ) -> Option<(Vec<Received>, Option<Instant>)> {
        let mut queues = self.lock();
        let queue = queues.get_mut(name)?;
        queue.expire(now);
        let (received, dead) = queue.receive(max, visibility, now);
        let next_visible = queue.next_visible();
        if let Some(target) = queue.config.dead_letter_queue.clone()
            && !dead.is_empty()
        {
            let target_queue = queues.get_mut(&target).expect("checked in `new`");
            for message in dead {
                target_queue.add(message);
            }
            self.wake(&target);
        }
        Some((received, next_visible))
    }

    fn wake(&self, queue: &str) {
        if let Some(changed) = self.inner.changed.get(queue) {
            changed.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        self.inner.queues.lock().expect("the queues' lock")
    }
}

struct Inner {
    identities: Identities,
    faults: Faults,
    /// One lock for all queues: a redrive moves a message from one to another.
    queues: Mutex<HashMap<String, Queue>>,
    changed: HashMap<String, Notify>,
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{queue}")
}

#[cfg(test)]
mod tests;
