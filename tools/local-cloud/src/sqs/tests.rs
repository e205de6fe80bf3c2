use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::{
    lambda::InvokeError,
    sigv4::{
        Credentials,
        testing::{Server, post, serve},
    },
};

const ALL: &[&str] = &[
    "sqs:SendMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:ReceiveMessage",
    "sqs:GetQueueAttributes",
];

fn queues(visibility: Duration, max_receive_count: u32) -> (Queues, Identities) {
    let config = |name: &str, dead: Option<&str>| QueueConfig {
        name: name.to_owned(),
        visibility_timeout: visibility,
        retention: Duration::from_hours(1),
        dead_letter_queue: dead.map(str::to_owned),
        max_receive_count,
    };
    let identities = Identities::default();
    (Queues::new(vec![config("jobs", Some("dead")), config("dead", None)], identities.clone()), identities)
}

struct Client {
    server: Server,
    credentials: Credentials,
    queues: Queues,
}

impl Client {
    async fn new(actions: &[&str]) -> Self {
        let (queues, identities) = queues(Duration::from_secs(30), 3);
        let credentials = identities.issue("worker", actions);
        Client { server: serve(queues.router()).await, credentials, queues }
    }

    fn url(&self) -> String {
        format!("{}/000000000000/jobs", self.server.url)
    }

    async fn raw(&self, operation: &str, body: String) -> (u16, String, Value) {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &target)];
        let request = post(&self.credentials, "sqs", &format!("{}/", self.server.url), &headers, body.into());
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
        let code = response.headers().get("x-amzn-query-error").map(|v| v.to_str().unwrap().to_owned());
        (response.status().as_u16(), code.unwrap_or_default(), response.json().await.unwrap())
    }

    async fn call(&self, operation: &str, mut body: Value) -> (u16, String, Value) {
        if body.get("QueueUrl").is_none() {
            body["QueueUrl"] = self.url().into();
        }
        self.raw(operation, body.to_string()).await
    }

    async fn ok(&self, operation: &str, body: Value) -> Value {
        let (status, code, answer) = self.call(operation, body).await;
        assert_eq!((status, &*code), (200, ""), "{answer}");
        answer
    }
}

#[tokio::test]
async fn a_message_goes_through_its_life_over_http() {
    let client = Client::new(ALL).await;
    let sent = client.ok("SendMessage", json!({"MessageBody": "Grüße 🦀"})).await;
    assert_eq!(sent["MD5OfMessageBody"], "6ade9767babc18a893bd9c36dda19c41");
    let received = client
        .ok("ReceiveMessage", json!({"WaitTimeSeconds": 1, "MessageSystemAttributeNames": ["All"]}))
        .await;
    let message = &received["Messages"][0];
    assert_eq!(
        (&message["Body"], &message["MessageId"], &message["MD5OfBody"]),
        (&"Grüße 🦀".into(), &sent["MessageId"], &sent["MD5OfMessageBody"])
    );
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(message["Attributes"]["SenderId"], "AROALOCAL:worker");
    let attributes = client.ok("GetQueueAttributes", json!({"AttributeNames": ["All"]})).await;
    assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "1");
    assert!(attributes["Attributes"]["RedrivePolicy"].as_str().unwrap().contains(":dead"));
    assert_eq!(client.ok("ReceiveMessage", json!({})).await, json!({}));

    let handle = &message["ReceiptHandle"];
    let now = json!({"ReceiptHandle": handle, "VisibilityTimeout": 0});
    assert_eq!(client.ok("ChangeMessageVisibility", now).await, json!({}));
    let again = client.ok("ReceiveMessage", json!({"AttributeNames": ["ApproximateReceiveCount"]})).await;
    assert_eq!(again["Messages"][0]["Attributes"], json!({"ApproximateReceiveCount": "2"}));
    assert_eq!(client.ok("DeleteMessage", json!({"ReceiptHandle": handle})).await, json!({}));
    assert!(client.queues.messages("jobs").is_empty());
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_message() {
    let client = Client::new(ALL).await;
    let started = Instant::now();
    let receive = client.ok("ReceiveMessage", json!({"WaitTimeSeconds": 20}));
    let send = async { client.queues.send("jobs", "late".to_owned()) };
    let (received, id) = tokio::join!(receive, send);
    assert_eq!(received["Messages"][0]["MessageId"], id);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn wrong_requests_get_the_errors_of_sqs() {
    let client = Client::new(ALL).await;
    let long = "x".repeat(1024 * 1024 + 1);
    let elsewhere = format!("{}/000000000000/none", client.server.url);
    let cases = [
        ("SendMessage", json!({"MessageBody": ""}), 400, "MissingParameter"),
        ("SendMessage", json!({"MessageBody": long}), 400, "InvalidParameterValue"),
        ("SendMessage", json!({"MessageBody": "a\u{0}"}), 400, "InvalidMessageContents"),
        ("SendMessage", json!({"MessageBody": "\u{ffff}"}), 400, "InvalidMessageContents"),
        ("SendMessage", json!({"MessageBody": "x", "DelaySeconds": 901}), 400, "InvalidParameterValue"),
        (
            "SendMessage",
            json!({"MessageBody": "x", "MessageGroupId": "g"}),
            400,
            "AWS.SimpleQueueService.UnsupportedOperation",
        ),
        ("SendMessage", json!({"MessageBody": 1}), 400, "MalformedInput"),
        (
            "SendMessage",
            json!({"MessageBody": "x", "QueueUrl": elsewhere}),
            400,
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        ("SendMessage", json!({"MessageBody": "x", "QueueUrl": "jobs"}), 404, "InvalidAddress"),
        ("SendMessage", json!({"MessageBody": "x", "QueueUrl": null}), 400, "MissingParameter"),
        ("ReceiveMessage", json!({"MaxNumberOfMessages": 11}), 400, "InvalidParameterValue"),
        ("ReceiveMessage", json!({"WaitTimeSeconds": 21}), 400, "InvalidParameterValue"),
        (
            "ChangeMessageVisibility",
            json!({"ReceiptHandle": "x", "VisibilityTimeout": 1}),
            404,
            "ReceiptHandleIsInvalid",
        ),
        (
            "ChangeMessageVisibility",
            json!({"ReceiptHandle": "x", "VisibilityTimeout": 43201}),
            400,
            "InvalidParameterValue",
        ),
        ("DeleteMessage", json!({}), 400, "MissingParameter"),
        ("GetQueueAttributes", json!({"AttributeNames": ["Nope"]}), 400, "InvalidAttributeName"),
        ("PurgeQueue", json!({}), 400, "InvalidAction"),
    ];
    for (operation, body, status, code) in cases {
        let answer = client.call(operation, body).await;
        assert_eq!((answer.0, &*answer.1), (status, &*format!("{code};Sender")), "{operation} {}", answer.2);
        assert!(answer.2["__type"].as_str().unwrap().contains('#'), "{}", answer.2);
    }
    assert_eq!(client.raw("SendMessage", "{".to_owned()).await.1, "MalformedInput;Sender");
    let whole = json!({"MessageBody": "\t\r\n \u{fffd}".to_owned() + &"x".repeat(1024 * 1024 - 7)});
    client.ok("SendMessage", whole).await;
    client.queues.fail_sends(1);
    let failed = client.call("SendMessage", json!({"MessageBody": "x"})).await;
    assert_eq!((failed.0, &*failed.1), (500, "InternalError;Receiver"));
    client.ok("SendMessage", json!({"MessageBody": "x"})).await;
    assert_eq!(client.queues.messages("jobs").len(), 2);
}

#[tokio::test]
async fn each_operation_needs_its_own_action() {
    for action in ALL {
        let client = Client::new(&[action]).await;
        for operation in ALL.iter().map(|action| action.strip_prefix("sqs:").unwrap()) {
            let (status, code, answer) = client.call(operation, json!({"MessageBody": "x"})).await;
            let denied = (status, &*code) == (403, "AccessDenied;Sender");
            assert_eq!(denied, !action.ends_with(operation), "{action} {operation} {answer}");
        }
        assert_eq!(client.queues.messages("jobs").len(), usize::from(*action == "sqs:SendMessage"));
    }
}

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
