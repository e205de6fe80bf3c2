//! Every fault in front of a service that only counts.

use axum::{Router, middleware::from_fn_with_state};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::{
    faults::calls::{Calls, meet},
    sigv4::testing::{Server, client, serve},
};

/// Long enough to tell that nothing comes.
const MOMENT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(20);

struct Service {
    server: Server,
    done: Arc<AtomicUsize>,
    planned: Arc<Planned>,
}

impl Service {
    async fn new(plane: Plane, fault: CallFault) -> Self {
        let (faults, done) = (Faults::default(), Arc::new(AtomicUsize::new(0)));
        let of_all = vec![At::once(0, fault)];
        let plan =
            Plan { posts: of_all.clone(), publishes: of_all.clone(), sends: of_all, ..Plan::default() };
        let planned = faults.plan("stream-1", plan);
        let count = Arc::clone(&done);
        let answer = async move |body: Bytes| {
            count.fetch_add(1, Ordering::SeqCst);
            body
        };
        let router = Router::new().fallback(answer);
        let router = router.layer(from_fn_with_state(Calls::new(&faults, plane), meet));
        Self { server: serve(router).await, done, planned }
    }

    fn request(&self, target: &'static str, body: &str) -> reqwest::RequestBuilder {
        client().post(&self.server.url).header("x-amz-target", target).body(body.to_owned())
    }

    /// Of the stream that has the plan.
    async fn call(&self) -> reqwest::Response {
        let body = json!({ "query": "mutation { publishToken }", "variables": "stream-1" }).to_string();
        let sent = self.request("AmazonSQS.SendMessage", &body).send();
        timeout(PATIENCE, sent).await.expect("in time").expect("an answer")
    }

    fn done(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }
}

fn error_type(answer: &reqwest::Response) -> &str {
    let name = if answer.headers().contains_key("x-amzn-query-error") {
        "x-amzn-query-error"
    } else {
        "x-amzn-errortype"
    };
    answer.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn a_refusal_has_the_services_own_shape() {
    for (plane, status, kind) in [
        (Plane::Posts, 410, "GoneException"),
        (Plane::Posts, 429, "LimitExceededException"),
        (Plane::Posts, 503, "InternalServerErrorException"),
        (Plane::Publishes, 429, "TooManyRequestsException"),
        (Plane::Publishes, 500, "InternalFailure"),
        (Plane::Sends, 403, "AccessDenied;Sender"),
        (Plane::Sends, 429, "RequestThrottled;Sender"),
        (Plane::Sends, 500, "InternalError;Receiver"),
    ] {
        let service = Service::new(plane, CallFault::Refuse(status)).await;
        let answer = service.call().await;
        assert_eq!((answer.status().as_u16(), error_type(&answer)), (status, kind), "{plane:?}");
        assert!(answer.json::<Value>().await.unwrap().is_object());
        assert_eq!(service.done(), 0);
        assert_eq!(service.call().await.status(), 200, "only the first");
        assert_eq!(service.done(), 1);
    }
}

#[tokio::test]
async fn a_call_may_be_done_and_not_answered_so() {
    for plane in [Plane::Posts, Plane::Publishes, Plane::Sends] {
        let service = Service::new(plane, CallFault::DoneBut(500)).await;
        assert_eq!((service.call().await.status().as_u16(), service.done()), (500, 1), "{plane:?}");
        for (fault, done) in [(CallFault::Hang, 0), (CallFault::DoneButHang, 1)] {
            let service = Service::new(plane, fault).await;
            let met = async {
                while service.planned.calls() == [0; 3] || service.done() < done {
                    tokio::task::yield_now().await;
                }
                timeout(MOMENT, std::future::pending::<()>()).await
            };
            tokio::select! {
                answer = service.call() => panic!("{plane:?} {fault:?}: {}", answer.status()),
                _ = met => assert_eq!(service.done(), done, "{plane:?} {fault:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_late_answer_is_the_true_one() {
    let service = Service::new(Plane::Posts, CallFault::Late(60)).await;
    // Made before, for a client takes its time to be made.
    let request = service.request("", "stream-1");
    let before = Instant::now();
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(before.elapsed() >= Duration::from_millis(60));
    assert_eq!(service.done(), 1);
}

#[tokio::test]
async fn graphql_errors_are_a_200() {
    let service = Service::new(Plane::Publishes, CallFault::GraphqlErrors).await;
    let answer = service.call().await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["data"]["publishToken"], service.done()), (&Value::Null, 0));
    assert!(body["errors"][0]["message"].is_string(), "{body}");
    let elsewhere = Service::new(Plane::Sends, CallFault::GraphqlErrors).await;
    assert_eq!(elsewhere.call().await.status(), 500);
}

#[tokio::test]
async fn only_the_calls_of_the_plane_and_of_the_stream_are_met() {
    let refuse = CallFault::Refuse(500);
    let of_stream = r#"{"query":"mutation { publishToken }","variables":"stream-1"}"#;
    for (plane, target, body) in [
        (Plane::Posts, "", "stream-2"),
        (Plane::Publishes, "", r#"{"query":"mutation { publishToken }","variables":"stream-2"}"#),
        (Plane::Publishes, "", r#"{"query":"mutation { startStream }","variables":"stream-1 publishToken"}"#),
        (Plane::Sends, "AmazonSQS.DeleteMessage", of_stream),
    ] {
        let service = Service::new(plane, refuse).await;
        let answer = service.request(target, body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{plane:?} {body}");
        assert_eq!(answer.text().await.unwrap(), body, "what was read is passed on");
        assert_eq!(service.planned.calls(), [0, 0, 0]);
        assert_eq!(service.call().await.status(), 500);
    }
    let service = Service::new(Plane::Posts, refuse).await;
    assert_eq!(client().get(&service.server.url).body("stream-1").send().await.unwrap().status(), 200);
}
