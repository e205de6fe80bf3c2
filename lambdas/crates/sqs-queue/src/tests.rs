use aws_credential_types::Credentials;
use scripted_service::{Answer, Asked, ScriptedService};
use serde_json::{Value, json};
use startup::{Causes, HttpClient};

use super::*;

const SECRET: &str = "a secret of the \"prompt\" \u{1F600}\n";
const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/prompts";

struct Bench {
    queue: Queue,
    service: ScriptedService,
}

async fn bench(script: Vec<Answer>) -> Bench {
    let service = ScriptedService::start(script).await;
    let endpoint = Some(service.url.parse().unwrap());
    Bench { queue: Queue::new(&aws("eu-west-1"), endpoint, URL.to_owned()).unwrap(), service }
}

fn aws(region: &str) -> Aws {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
    Aws::new(HttpClient::new(), region.to_owned(), credentials)
}

fn done() -> Answer {
    Answer::Status(200, json!({"MessageId": "a", "MD5OfMessageBody": "b"}).to_string())
}

fn refusal(status: u16, name: &str) -> Answer {
    let body = json!({"__type": format!("com.amazonaws.sqs#{name}"), "message": SECRET});
    Answer::Status(status, body.to_string())
}

/// The whole error as the log shows it, and as `{:?}` does.
fn shown(error: &QueueError) -> String {
    format!("{} {error:?}", Causes(error))
}

fn assert_is(asked: &Asked, target: &str, body: &Value) {
    assert_eq!(asked.line, "POST /");
    assert_eq!(asked.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(asked.header("x-amz-target"), Some(target));
    assert_eq!(asked.header("x-amz-security-token"), Some("token"));
    let authorization = asked.header("authorization").unwrap();
    assert!(authorization.contains("/eu-west-1/sqs/aws4_request"), "{authorization}");
    assert!(authorization.contains("content-type;host;x-amz-date;x-amz-security-token;x-amz-target"));
    assert_eq!(serde_json::from_slice::<Value>(&asked.body).unwrap(), *body);
}

/// As "Making Query API requests using AWS JSON protocol in Amazon SQS" has them.
#[tokio::test]
async fn requests_are_what_sqs_takes() {
    let Bench { queue, service } = bench(vec![done(), done()]).await;
    queue.send(SECRET).await.unwrap();
    queue.change_visibility("a handle", 10).await.unwrap();
    let asked = service.asked();
    let [sent, returned] = asked.as_slice() else { panic!("{} calls", asked.len()) };
    assert_is(sent, "AmazonSQS.SendMessage", &json!({"QueueUrl": URL, "MessageBody": SECRET}));
    let body = json!({"QueueUrl": URL, "ReceiptHandle": "a handle", "VisibilityTimeout": 10});
    assert_is(returned, "AmazonSQS.ChangeMessageVisibility", &body);
}

#[tokio::test]
async fn what_passes_is_sent_again_as_it_was_and_what_does_not_is_not() {
    for (trouble, passes) in [
        (refusal(400, "RequestThrottled"), true),
        (refusal(400, "ThrottlingException"), true),
        (refusal(400, "KmsThrottled"), true),
        (refusal(429, ""), true),
        (refusal(500, "InternalFailure"), true),
        (refusal(503, "ServiceUnavailableException"), true),
        (Answer::Status(502, "<html>".to_owned()), true),
        (Answer::Cut, true),
        (Answer::Silence, true),
        (refusal(400, "InvalidMessageContents"), false),
        (refusal(400, "InvalidParameterValueException"), false),
        (refusal(400, "QueueDoesNotExist"), false),
        (refusal(403, "AccessDeniedException"), false),
        (refusal(403, "ExpiredTokenException"), false),
        (Answer::Status(404, String::new()), false),
    ] {
        let name = format!("{trouble:?}");
        let Bench { queue, service } = bench(vec![trouble, done()]).await;
        assert_eq!(queue.send(SECRET).await.is_ok(), passes, "{name}");
        let bodies: Vec<_> = service.asked().into_iter().map(|asked| asked.body).collect();
        assert_eq!(bodies.len(), if passes { 2 } else { 1 }, "{name}");
        assert_eq!(bodies.first(), bodies.last(), "{name}");
    }
}

#[tokio::test]
async fn three_tries_are_all_and_the_last_one_is_the_reason() {
    let script = vec![Answer::Cut, refusal(500, "InternalFailure"), refusal(400, "RequestThrottled"), done()];
    let Bench { queue, service } = bench(script).await;
    let error = queue.send(SECRET).await.unwrap_err();
    assert_eq!(error.to_string(), "SQS answered 400 RequestThrottled");
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_nothing_is_given_up_after_five_seconds() {
    let Bench { queue, .. } = bench(vec![Answer::Silence; 4]).await;
    let before = tokio::time::Instant::now();
    let error = queue.send(SECRET).await.unwrap_err();
    assert!(shown(&error).contains("SQS was not reached: no answer from http://127.0.0.1:"), "{error:?}");
    let took = before.elapsed().as_millis();
    assert!((4_000..=5_050).contains(&took), "{took} ms");
}

#[tokio::test]
async fn a_visibility_timeout_is_changed_in_one_try_or_not_at_all() {
    for trouble in [refusal(500, "InternalFailure"), refusal(400, "RequestThrottled"), Answer::Silence] {
        let name = format!("{trouble:?}");
        let Bench { queue, service } = bench(vec![trouble, done()]).await;
        let before = tokio::time::Instant::now();
        assert!(queue.change_visibility("a handle", 10).await.is_err(), "{name}");
        assert_eq!(service.asked().len(), 1, "{name}");
        assert!(before.elapsed() < Duration::from_millis(2_900), "{name}");
    }
}

#[tokio::test]
async fn an_error_has_its_name_and_never_the_message() {
    let denied = json!({"__type": "x#AccessDeniedException", "Message": "User: ann may not sqs:SendMessage"});
    for (answer, expected) in [
        (refusal(400, "InvalidMessageContents"), "SQS answered 400 InvalidMessageContents"),
        (refusal(404, SECRET), "SQS answered 404"),
        (Answer::Status(413, json!(SECRET).to_string()), "SQS answered 413"),
        (Answer::Status(400, SECRET.to_owned()), "SQS answered 400"),
        (
            Answer::Status(403, denied.to_string()),
            "SQS answered 403 AccessDeniedException: User: ann may not sqs:SendMessage",
        ),
    ] {
        let Bench { queue, .. } = bench(vec![answer]).await;
        let error = queue.send(SECRET).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!shown(&error).contains("a secret of the"), "{error:?}");
    }
}

#[test]
fn sqs_is_where_its_region_has_it() {
    let queue = Queue::new(&aws("cn-north-1"), None, URL.to_owned()).unwrap();
    for call in [&queue.send_message, &queue.change_message_visibility] {
        assert_eq!(call.url().to_string(), "https://sqs.cn-north-1.amazonaws.com.cn/");
    }
    let error = Queue::new(&aws("a region?"), None, URL.to_owned()).unwrap_err();
    assert!(error.to_string().contains("AWS_REGION"), "{error}");
}
