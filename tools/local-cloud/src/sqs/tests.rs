use serde_json::{Value, json};

use super::*;
use crate::{
    faults::{At, CallFault, Plan},
    sigv4::{
        Credentials,
        testing::{Server, post, serve},
    },
};

mod mapping;

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
    let configs = vec![config("jobs", Some("dead")), config("dead", None)];
    (Queues::new(configs, identities.clone(), Faults::default()), identities)
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
    let sends = vec![At::once(0, CallFault::Refuse(500))];
    client.queues.inner.faults.plan("", Plan { sends, ..Plan::default() });
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
