//! The event source mapping: batches from a queue to a function ("Using Lambda with Amazon SQS").

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{EventSourceConfig, Queues, arn, planned, queue::Received};
use crate::{lambda::InvokeError, sigv4::REGION};

const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// Runs until it is dropped; the invocations that it has under way end with it. A queue that does not exist ends
/// it too.
pub(super) async fn run<F, R>(queues: Queues, source: EventSourceConfig, invoke: F)
where
    F: Fn(Bytes) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Bytes, InvokeError>> + Send,
{
    let slots = Arc::new(Semaphore::new(source.maximum_concurrency));
    let visibility = queues.lock().get(&source.queue).map(|queue| queue.config.visibility_timeout);
    let mut running = JoinSet::new();
    loop {
        // The slot comes first: what is received has somewhere to go.
        let slot = slots.clone().acquire_owned().await.expect("never closed");
        while running.try_join_next().is_some() {}
        let received = queues.receive(&source.queue, source.batch_size, None, None).await;
        let (Some(batch), Some(visibility)) = (received, visibility) else { return };
        let again_visible = Instant::now() + visibility;
        let (queues, invoke, name) = (queues.clone(), invoke.clone(), source.queue.clone());
        // More than one take no slots of their own: they are a plan's doing.
        let delay = planned::delay(&queues.inner.faults, &batch);
        let batches = planned::batches(&queues.inner.faults, batch);
        running.spawn(async move {
            tokio::time::sleep(delay).await;
            let deliveries = batches.iter().map(|batch| deliver(&name, batch, again_visible, &invoke));
            let done = join_all(deliveries).await.concat();
            queues.settle(&name, &done);
            drop(slot);
        });
    }
}

impl Queues {
    /// What is done with is deleted, unless a plan wants it to be received once more.
    fn settle(&self, name: &str, done: &[&Received]) {
        let (again, deleted): (Vec<&Received>, Vec<&Received>) =
            done.iter().partition(|message| planned::comes_again(&self.inner.faults, message));
        if let Some(queue) = self.lock().get_mut(name) {
            for message in deleted {
                queue.delete(&message.receipt_handle);
            }
            for message in &again {
                // Fails if it is visible already.
                drop(queue.change_visibility(&message.receipt_handle, Duration::ZERO, Instant::now()));
            }
        }
        if !again.is_empty() {
            self.wake(name);
        }
    }
}

/// Which messages of the batch are done with. The others become visible again by themselves.
async fn deliver<'a, F, R>(
    queue: &str,
    batch: &'a [Received],
    again_visible: Instant,
    invoke: &F,
) -> Vec<&'a Received>
where
    F: Fn(Bytes) -> R,
    R: Future<Output = Result<Bytes, InvokeError>>,
{
    let event = Bytes::from(event(queue, batch).to_string());
    let mut backoff = FIRST_BACKOFF;
    loop {
        match invoke(event.clone()).await {
            Ok(response) => return completed(batch, &response),
            // The batch is held and offered again, which costs it no receive, until its visibility runs out.
            Err(InvokeError::Throttled { .. }) if Instant::now() + backoff < again_visible => {
                tokio::time::sleep(backoff).await;
                backoff = LONGEST_BACKOFF.min(backoff * 2);
            }
            Err(
                InvokeError::Throttled { .. }
                | InvokeError::UnknownFunction(_)
                | InvokeError::Init { .. }
                | InvokeError::TimedOut { .. }
                | InvokeError::Exited { .. }
                | InvokeError::Function { .. },
            ) => return Vec::new(),
        }
    }
}

fn event(queue: &str, batch: &[Received]) -> Value {
    let records: Vec<Value> = batch
        .iter()
        .map(|message| {
            let attributes: Map<String, Value> = message
                .attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
                .collect();
            json!({
                "messageId": message.id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": message.md5,
                "eventSource": "aws:sqs",
                "eventSourceARN": arn(queue),
                "awsRegion": REGION,
            })
        })
        .collect();
    json!({"Records": records})
}

/// "Implementing partial batch responses": no failures listed means that all succeeded; a list that cannot be
/// read, or that names no message of the batch, means that all failed.
fn completed<'a>(batch: &'a [Received], response: &[u8]) -> Vec<&'a Received> {
    let Some(failed) = failed_ids(response) else { return Vec::new() };
    let known: HashSet<&str> = batch.iter().map(|message| message.id.as_str()).collect();
    if !failed.iter().all(|id| known.contains(id.as_str())) {
        return Vec::new();
    }
    batch.iter().filter(|message| !failed.contains(&message.id)).collect()
}

fn failed_ids(response: &[u8]) -> Option<HashSet<String>> {
    if response.is_empty() {
        return Some(HashSet::new());
    }
    let failures = match serde_json::from_slice(response).ok()? {
        Value::Null => return Some(HashSet::new()),
        Value::Object(mut response) => response.remove("batchItemFailures").unwrap_or(Value::Null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
    };
    match failures {
        Value::Null => Some(HashSet::new()),
        Value::Array(items) => {
            items.iter().map(|item| item.get("itemIdentifier")?.as_str().map(str::to_owned)).collect()
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_lambda_reads_them() {
        let message = |id: &str| Received {
            id: id.to_owned(),
            body: String::new(),
            md5: String::new(),
            receipt_handle: String::new(),
            attributes: Default::default(),
        };
        let batch = [message("a"), message("b")];
        let (all, none): (&[&str], &[&str]) = (&["a", "b"], &[]);
        let cases = [
            ("", all),
            ("null", all),
            ("{}", all),
            (r#"{"batchItemFailures":null}"#, all),
            (r#"{"batchItemFailures":[]}"#, all),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#, &["b"]),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}"#, none),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#, none),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, none),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, none),
            (r#"{"batchItemFailures":[{"itemId":"a"}]}"#, none),
            (r#"{"batchItemFailures":["a"]}"#, none),
            (r#"{"batchItemFailures":{}}"#, none),
            ("\"ok\"", none),
            ("[]", none),
            ("{", none),
        ];
        for (answer, done) in cases {
            let ids: Vec<&str> =
                completed(&batch, answer.as_bytes()).iter().map(|message| message.id.as_str()).collect();
            assert_eq!(ids, done, "{answer}");
        }
    }
}
