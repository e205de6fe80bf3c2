//! The event source mapping, with a closure as the function.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::*;
use crate::{
    faults::{Plan, QueueFault},
    lambda::InvokeError,
    sqs::mapping,
};

/// What a fake function answers to a batch.
type Answer = Result<String, InvokeError>;

/// A mapping to a function that reports each batch and answers what `answer` says; aborted with this value.
struct Mapping {
    queues: Queues,
    batches: mpsc::UnboundedReceiver<Value>,
    task: tokio::task::JoinHandle<()>,
}

impl Mapping {
    fn new(
        queues: &Queues,
        batch_size: usize,
        answer: impl Fn(&Value) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        let (sender, batches) = mpsc::unbounded_channel();
        let invoke = move |payload: Bytes| {
            let (sender, answer) = (sender.clone(), answer.clone());
            async move {
                let event: Value = serde_json::from_slice(&payload).unwrap();
                let answer = answer(&event).map(Bytes::from);
                sender.send(event).unwrap();
                answer
            }
        };
        let source = EventSourceConfig {
            queue: "jobs".to_owned(),
            function: "worker".to_owned(),
            batch_size,
            maximum_concurrency: 2,
        };
        let task = tokio::spawn(mapping::run(queues.clone(), source, invoke));
        Mapping { queues: queues.clone(), batches, task }
    }

    async fn bodies(&mut self) -> Vec<String> {
        let event = self.batches.recv().await.unwrap();
        event["Records"].as_array().unwrap().iter().map(|r| r["body"].as_str().unwrap().to_owned()).collect()
    }

    async fn until(&self, condition: impl Fn(&Queues) -> bool) {
        let waited = async {
            while !condition(&self.queues) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waited).await.expect("in time");
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_record_has_the_shape_of_the_lambda_event() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    let id = queues.send("jobs", "body".to_owned());
    let mut mapping = Mapping::new(&queues, 10, |_| Ok(String::new()));
    let record = &mapping.batches.recv().await.unwrap()["Records"][0];
    assert_eq!(record["messageId"], id);
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:jobs");
    assert_eq!(record["md5OfBody"], "841a2d689ad86bd1611447453c22c6fc");
    let names: Vec<&str> = record["attributes"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"]
    );
    assert_eq!(
        (&record["eventSource"], &record["awsRegion"], &record["messageAttributes"]),
        (&"aws:sqs".into(), &"us-east-1".into(), &json!({}))
    );
    mapping.until(|queues| queues.messages("jobs").is_empty()).await;
}

#[tokio::test]
async fn only_what_the_function_reports_stays() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    let bodies: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    for body in &bodies {
        queues.send("jobs", body.clone());
    }
    let mut mapping = Mapping::new(&queues, 10, |event| {
        let id = |i: usize| json!({"itemIdentifier": event["Records"][i]["messageId"]});
        Ok(json!({"batchItemFailures": [id(1), id(4), id(7)]}).to_string())
    });
    assert_eq!(mapping.bodies().await, bodies);
    mapping.until(|queues| queues.messages("jobs") == ["1", "4", "7"]).await;
}

#[tokio::test]
async fn poison_is_tried_as_often_as_allowed_and_then_moved() {
    let (queues, _) = queues(Duration::from_millis(20), 3);
    queues.send("jobs", "poison".to_owned());
    let mut mapping = Mapping::new(&queues, 1, |_| {
        Err(InvokeError::Function { error_type: "E".to_owned(), message: "m".to_owned() })
    });
    for count in ["1", "2", "3"] {
        let event = mapping.batches.recv().await.unwrap();
        assert_eq!(event["Records"][0]["attributes"]["ApproximateReceiveCount"], count);
    }
    mapping.until(|queues| queues.messages("dead") == ["poison"]).await;
    assert!(mapping.batches.try_recv().is_err() && queues.messages("jobs").is_empty());
}

#[tokio::test]
async fn a_throttled_batch_is_offered_again_and_costs_no_receive() {
    let (queues, _) = queues(Duration::from_secs(30), 1);
    queues.send("jobs", "x".to_owned());
    let throttled = Arc::new(AtomicBool::new(false));
    let mut mapping = Mapping::new(&queues, 1, move |_| {
        if throttled.swap(true, Ordering::SeqCst) {
            return Ok("null".to_owned());
        }
        Err(InvokeError::Throttled { function: "worker".to_owned(), limit: 1 })
    });
    let first = mapping.batches.recv().await.unwrap();
    assert_eq!(mapping.batches.recv().await.unwrap(), first);
    mapping.until(|queues| queues.messages("jobs").is_empty()).await;
    assert!(queues.messages("dead").is_empty());
}

#[tokio::test]
async fn no_more_than_the_allowed_number_runs_at_once() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    for i in 0..6 {
        queues.send("jobs", i.to_string());
    }
    let (gate, running) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inner_gate, inner_running) = (gate.clone(), running.clone());
    let invoke = move |_| {
        let (gate, running) = (inner_gate.clone(), inner_running.clone());
        async move {
            running.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(Bytes::new())
        }
    };
    let source = EventSourceConfig {
        queue: "jobs".to_owned(),
        function: "worker".to_owned(),
        batch_size: 1,
        maximum_concurrency: 2,
    };
    let task = tokio::spawn(mapping::run(queues.clone(), source, invoke));
    for left in (0..6).rev() {
        while running.load(Ordering::SeqCst) < 2.min(left + 1) {
            tokio::task::yield_now().await;
        }
        assert!(running.load(Ordering::SeqCst) <= 2);
        gate.add_permits(1);
        while queues.messages("jobs").len() > left {
            tokio::task::yield_now().await;
        }
    }
    task.abort();
}

fn planned(queues: &Queues, marker: &str, queue: QueueFault) {
    queues.inner.faults.plan(marker, Plan { queue: Some(queue), ..Plan::default() });
}

fn receive_count(event: &Value) -> &str {
    event["Records"][0]["attributes"]["ApproximateReceiveCount"].as_str().unwrap()
}

#[tokio::test]
async fn copies_of_a_message_are_delivered_at_once_each_as_the_first() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    planned(&queues, "twin", QueueFault::Copies(3));
    for body in ["a", "twin", "b"] {
        queues.send("jobs", body.to_owned());
    }
    let gate = Arc::new(tokio::sync::Barrier::new(4));
    let inner_gate = Arc::clone(&gate);
    let (sender, mut batches) = mpsc::unbounded_channel();
    let invoke = move |payload: Bytes| {
        let (gate, sender) = (Arc::clone(&inner_gate), sender.clone());
        async move {
            sender.send(serde_json::from_slice::<Value>(&payload).unwrap()).unwrap();
            // All of them are under way before one is done with.
            gate.wait().await;
            Ok(Bytes::new())
        }
    };
    let source = EventSourceConfig {
        queue: "jobs".to_owned(),
        function: "worker".to_owned(),
        batch_size: 10,
        maximum_concurrency: 2,
    };
    let task = tokio::spawn(mapping::run(queues.clone(), source, invoke));
    let mut events = Vec::new();
    for _ in 0..4 {
        events.push(batches.recv().await.unwrap());
    }
    events.sort_by_key(|event| event["Records"].as_array().unwrap().len());
    for event in &events[..3] {
        assert_eq!((&event["Records"][0]["body"], receive_count(event)), (&json!("twin"), "1"));
    }
    assert_eq!(events[3]["Records"].as_array().unwrap().len(), 2);
    while !queues.messages("jobs").is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(batches.try_recv().is_err());
    task.abort();
}

#[tokio::test]
async fn a_message_may_come_again_after_it_was_done_with() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    planned(&queues, "again", QueueFault::Again);
    let mut mapping = Mapping::new(&queues, 1, |_| Ok(String::new()));
    for (body, counts) in [("once", vec!["1"]), ("again", vec!["1", "2"]), ("once", vec!["1"])] {
        queues.send("jobs", body.to_owned());
        for count in counts {
            let event = mapping.batches.recv().await.unwrap();
            assert_eq!((&event["Records"][0]["body"], receive_count(&event)), (&json!(body), count));
        }
        mapping.until(|queues| queues.messages("jobs").is_empty()).await;
    }
}

#[tokio::test]
async fn a_message_may_look_as_if_it_had_waited() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    planned(&queues, "old", QueueFault::Waited(90_000));
    let mut mapping = Mapping::new(&queues, 1, |_| Ok(String::new()));
    for (body, waited) in [("new", false), ("old", true)] {
        queues.send("jobs", body.to_owned());
        let event = mapping.batches.recv().await.unwrap();
        let attributes = &event["Records"][0]["attributes"];
        let at = |name: &str| attributes[name].as_str().unwrap().parse::<u64>().unwrap();
        let age = at("ApproximateFirstReceiveTimestamp") - at("SentTimestamp");
        assert_eq!((90_000..100_000).contains(&age), waited, "{body}: {age} ms");
    }
}

#[tokio::test]
async fn a_message_may_be_delivered_late() {
    let (queues, _) = queues(Duration::from_secs(30), 3);
    planned(&queues, "late", QueueFault::Late(300));
    let mut mapping = Mapping::new(&queues, 1, |_| Ok(String::new()));
    for (body, late) in [("now", false), ("late", true)] {
        let sent = Instant::now();
        queues.send("jobs", body.to_owned());
        let event = mapping.batches.recv().await.unwrap();
        assert_eq!(event["Records"][0]["body"], body);
        assert_eq!(sent.elapsed() >= Duration::from_millis(300), late, "{body}: {:?}", sent.elapsed());
    }
}
