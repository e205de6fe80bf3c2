use aws_credential_types::Credentials;
use chat::StreamId;
use scripted_service::{Answer, ScriptedService};
use startup::{Causes, HttpClient};

use super::*;

const SECRET: &str = "a secret of the answer";

struct Bench {
    service: ScriptedService,
    sent: Result<(), SinkError>,
    posted: u64,
}

async fn send(script: Vec<Answer>, events: &[StreamEvent]) -> Bench {
    let service = ScriptedService::start(script).await;
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
    let aws = Aws::new(HttpClient::new(), "eu-west-1".to_owned(), credentials);
    let url = format!("{}/live", service.url).parse().unwrap();
    let connections = Connections::new(&aws, url).unwrap();
    let mut connection = connections.connection("L0SM9cOFvHcCIhw=").unwrap();
    let sent = connection.send(events).await;
    let posted = connection.messages();
    Bench { service, sent, posted }
}

fn delta(seq: u64) -> StreamEvent {
    StreamEvent::Delta { stream_id: StreamId::random(), seq, text: SECRET.to_owned() }
}

fn status(status: u16) -> Answer {
    Answer::Status(status, format!(r#"{{"message":"{SECRET}"}}"#))
}

#[tokio::test]
async fn events_are_posted_to_the_connection_in_order_and_as_one_message_each() {
    let events = [delta(1), delta(2)];
    let Bench { service, sent, posted } = send(vec![status(200), status(200)], &events).await;
    sent.unwrap();
    assert_eq!(posted, 2);
    let asked = service.asked();
    assert_eq!(asked.len(), 2);
    for (asked, event) in asked.iter().zip(&events) {
        assert_eq!(asked.line, "POST /live/@connections/L0SM9cOFvHcCIhw%3D");
        assert_eq!(asked.body, wire::to_json(event).into_bytes());
        assert_eq!(asked.header("x-amz-security-token"), Some("token"));
        assert!(asked.header("authorization").unwrap().contains("/eu-west-1/execute-api/aws4_request"));
    }
}

#[tokio::test]
async fn what_passes_is_posted_again_before_the_next_event() {
    for trouble in [status(429), status(500), status(503), status(504), Answer::Cut, Answer::Silence] {
        let name = format!("{trouble:?}");
        let events = [delta(1), delta(2)];
        let Bench { service, sent, posted } = send(vec![trouble, status(200), status(200)], &events).await;
        assert!(sent.is_ok(), "{name}: {sent:?}");
        assert_eq!(posted, 2, "{name}");
        let bodies: Vec<_> = service.asked().into_iter().map(|asked| asked.body).collect();
        let expected = [&events[0], &events[0], &events[1]].map(|event| wire::to_json(event).into_bytes());
        assert_eq!(bodies, expected, "{name}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_not_posted_again_and_a_client_that_has_gone_is_gone() {
    for refused in [400, 403, 410, 413] {
        let Bench { service, sent, posted } =
            send(vec![status(refused), status(200)], &[delta(1), delta(2)]).await;
        let gone = matches!(sent, Err(SinkError::Gone));
        assert_eq!((gone, sent.is_err(), posted), (refused == 410, true, 0), "{refused}");
        assert_eq!(service.asked().len(), 1, "{refused}");
    }
}

#[tokio::test]
async fn six_tries_are_all_and_the_error_does_not_quote_the_message() {
    let Bench { service, sent, .. } = send(vec![status(429); 7], &[delta(1)]).await;
    assert_eq!(service.asked().len(), 6);
    let error = sent.unwrap_err();
    let shown = format!("{} {error:?}", Causes(&error));
    assert!(shown.contains("API Gateway answered 429") && !shown.contains(SECRET), "{shown}");
    let forbidden = Answer::Status(403, r#"{"message":"User: ann may not"}"#.to_owned());
    let error = send(vec![forbidden], &[delta(1)]).await.sent.unwrap_err();
    assert!(Causes(&error).to_string().ends_with("API Gateway answered 403: User: ann may not"));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_says_nothing_is_given_up_after_ten_seconds() {
    let before = tokio::time::Instant::now();
    let Bench { sent, .. } = send(vec![Answer::Silence; 7], &[delta(1)]).await;
    assert!(Causes(&sent.unwrap_err()).to_string().contains("no answer from http://127.0.0.1:"));
    let took = before.elapsed().as_millis();
    assert!((9_000..=10_050).contains(&took), "{took} ms");
}

#[test]
fn what_is_no_id_is_no_connection() {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let aws = Aws::new(HttpClient::new(), "eu-west-1".to_owned(), credentials);
    let connections = Connections::new(&aws, "https://a.example/live".parse().unwrap()).unwrap();
    assert!(connections.connection("").is_err());
    assert!(connections.connection("..").is_err());
}
