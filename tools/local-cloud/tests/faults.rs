//! What each planned fault does to a stream of the built functions, as its client sees it. Where they have no remedy
//! yet, the test says what happens today.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use local_cloud::{
    bedrock::{Ending, Framing, ModelCall, Script},
    faults::{At, CallFault, DeliveryFault, Plan, Planned, QueueFault},
};
use probe::{Architecture, Outcome, Request, Trace, websocket_api::Connection};
use serde_json::json;
use support::{PATIENCE, Stage, check_contract, eventually, impatient, paced};

const TOKENS: [&str; 6] = ["one ", "two ", "three ", "four ", "five ", "six"];

/// A request whose prompt repeats its id, so that the model knows the stream too.
fn marked() -> Request {
    let request = Request::prompt("");
    let prompt = format!("about {}", request.stream_id);
    request.with("prompt", prompt)
}

type Run = (Request, Arc<Planned>, Trace);

/// Slow enough for each token to be a message of its own, also where they are coalesced longest.
fn model(ending: Ending) -> Script {
    Script { ending, ..paced(&TOKENS, Duration::from_millis(280)) }
}

fn well() -> Plan {
    Plan { model: Some(model(Ending::default())), ..Plan::default() }
}

async fn run(stage: &Stage, architecture: Architecture, plan: Plan) -> Run {
    let request = marked();
    let planned = stage.cloud.faults.plan(&request.stream_id, plan);
    let trace = stage.send(architecture, &request).await;
    (request, planned, trace)
}

/// The same plan on all three, side by side.
async fn on_all(stage: &Stage, plan: &Plan) -> Vec<(Architecture, Request, Arc<Planned>, Trace)> {
    let one = async |architecture| {
        let (request, planned, trace) = run(stage, architecture, plan.clone()).await;
        (architecture, request, planned, trace)
    };
    futures_util::future::join_all(Architecture::ALL.map(one)).await
}

/// Each fault at the third call of the two that make calls, side by side.
async fn on_both(stage: &Stage, faults: &[CallFault]) -> Vec<(Architecture, CallFault, Run)> {
    let one = async |architecture, fault| {
        let at = vec![At::once(2, fault)];
        let plan = Plan { posts: at.clone(), publishes: at, ..well() };
        (architecture, fault, run(stage, architecture, plan).await)
    };
    let both = [Architecture::WebsocketApi, Architecture::Appsync].into_iter();
    let all = both.flat_map(|architecture| faults.iter().map(move |fault| (architecture, *fault)));
    futures_util::future::join_all(all.map(|(architecture, fault)| one(architecture, fault))).await
}

async fn closed_calls(stage: &Stage, request: &Request, count: usize) -> Vec<ModelCall> {
    eventually("the calls of the model to end", async || {
        let calls = stage.cloud.bedrock.calls_of(&request.stream_id);
        (calls.len() == count && calls.iter().all(|call| call.closed.is_some())).then_some(calls)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_is_an_error_and_pieces_of_frames_are_none() {
    let stage = Stage::open().await;
    for ending in [Ending::BadChecksum { after: 3 }, Ending::Reset { after: 3 }] {
        let plan = Plan { model: Some(model(ending.clone())), ..Plan::default() };
        for (architecture, request, _, trace) in on_all(&stage, &plan).await {
            check_contract(architecture.name(), &request, &trace);
            assert_eq!(trace.text(), TOKENS[..3].concat(), "{architecture} {ending:?}");
            assert!(matches!(trace.outcome(), Outcome::Error { .. }), "{architecture} {ending:?}");
            assert_eq!(closed_calls(&stage, &request, 1).await[0].tokens.len(), 3);
        }
    }
    for framing in [Framing::Bytes, Framing::Pieces { seed: 4 }] {
        let plan = Plan { model: Some(Script { framing, ..model(Ending::default()) }), ..Plan::default() };
        for (architecture, request, _, trace) in on_all(&stage, &plan).await {
            check_contract(architecture.name(), &request, &trace);
            assert_eq!(trace.text(), TOKENS.concat(), "{architecture} {framing:?}");
        }
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_gone_stops_the_model_of_its_own_stream() {
    let stage = Stage::with(impatient).await;
    let (request, other) = (marked(), marked());
    let posts = vec![At::from(2, CallFault::Refuse(410))];
    let planned = stage.cloud.faults.plan(&request.stream_id, Plan { posts, ..well() });
    stage.cloud.faults.plan(&other.stream_id, well());
    let mut connection = Connection::open(&stage.settings, &stage.token).await.expect("a connection");
    let mut stream = request.body.clone();
    stream["action"] = json!("stream");
    connection.send_text(stream.to_string()).await.expect("sent");
    let (call, trace) =
        tokio::join!(closed_calls(&stage, &request, 1), stage.send(Architecture::WebsocketApi, &other));
    assert!(!call[0].completed && call[0].tokens.len() < TOKENS.len(), "{} tokens", call[0].tokens.len());
    assert_eq!(planned.calls(), [3, 0, 0], "nothing is posted to a connection that is gone");
    assert_eq!(planned.sent().len(), 2);
    assert_eq!(trace.text(), TOKENS.concat());
    connection.close().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_but_not_answered_is_sent_again_and_counted_once() {
    let stage = Stage::open().await;
    for (architecture, fault, (_, planned, trace)) in
        on_both(&stage, &[CallFault::DoneBut(500), CallFault::DoneButHang]).await
    {
        let name = format!("{architecture} {fault:?}");
        assert_eq!((trace.failure.as_deref(), trace.text()), (None, TOKENS.concat()), "{name}");
        assert_eq!(trace.seqs().iter().filter(|seq| **seq == 2).count(), 2, "{name}: {:?}", trace.seqs());
        let calls: usize = planned.calls().iter().sum();
        assert_eq!(calls, planned.sent().len() + planned.calls()[2], "{name}: the SendMessage is no message");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_or_is_refused_is_tried_again() {
    let stage = Stage::open().await;
    let faults = [CallFault::Hang, CallFault::Refuse(429), CallFault::Late(300)];
    for (architecture, fault, (request, planned, trace)) in on_both(&stage, &faults).await {
        let name = format!("{architecture} {fault:?}");
        check_contract(&name, &request, &trace);
        assert_eq!(trace.text(), TOKENS.concat(), "{name}");
        let [posts, publishes, _] = planned.calls();
        let tries = usize::from(!matches!(fault, CallFault::Late(_)));
        assert_eq!(posts + publishes, planned.sent().len() + tries, "{name}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_come_twice_late_or_never() {
    let stage = Stage::open().await;
    let with = |fault| Plan { deliveries: vec![At::once(2, fault)], ..well() };
    for (architecture, _, planned, trace) in on_all(&stage, &with(DeliveryFault::Repeat)).await {
        assert_eq!((trace.failure.as_deref(), trace.text()), (None, TOKENS.concat()), "{architecture}");
        assert_eq!(trace.received.len(), planned.sent().len() + 1, "{architecture}: {:?}", trace.seqs());
    }
    for (architecture, _, _, trace) in on_all(&stage, &with(DeliveryFault::Swap)).await {
        // Only AppSync may reorder, so only there a client waits for what is missing.
        let waits = architecture == Architecture::Appsync;
        assert_eq!(trace.failure.is_none(), waits, "{architecture}: {:?}", trace.failure);
        assert_eq!(trace.text() == TOKENS.concat(), waits, "{architecture}");
    }
    for fault in [DeliveryFault::Lose, DeliveryFault::Cut] {
        for (architecture, request, planned, trace) in on_all(&stage, &with(fault)).await {
            let name = format!("{architecture} {fault:?}");
            assert!(matches!(trace.outcome(), Outcome::Failed(_)), "{name}: {:?}", trace.outcome());
            assert_eq!(trace.text(), TOKENS[0], "{name}");
            let tokens = closed_calls(&stage, &request, 1).await[0].tokens.len();
            assert!(planned.sent().len() >= 3 && tokens >= 2, "{name}: {tokens}");
        }
    }
    stage.close().await;
}

/// Prompts that come twice, at once, because a call was repeated, or after the end.
fn twice() -> [Plan; 3] {
    [
        Plan { queue: Some(QueueFault::Copies(20)), ..well() },
        Plan { sends: vec![At::once(0, CallFault::DoneBut(500))], ..well() },
        Plan { queue: Some(QueueFault::Again), ..well() },
    ]
}

async fn queue_is_empty(stage: &Stage) {
    eventually("the queue to be empty", async || {
        stage.cloud.queues.messages("tristream-prompts").is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_delivered_more_than_once_is_answered_once() {
    let stage = Stage::open().await;
    for plan in twice() {
        let name = format!("{:?} {:?}", plan.queue, plan.sends);
        let (request, planned, trace) = run(&stage, Architecture::Appsync, plan).await;
        check_contract(&name, &request, &trace);
        queue_is_empty(&stage).await;
        assert_eq!(closed_calls(&stage, &request, 1).await[0].tokens.len(), TOKENS.len(), "{name}");
        assert_eq!(planned.sent().len(), trace.received.len(), "{name}: nothing is said of it");
    }
    stage.close().await;
}

/// Nothing remembers then which streams were begun, but for the receive count of the message.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_stream_log_only_what_comes_again_later_is_known() {
    let stage = Stage::with(|options| options.stream_log = false).await;
    let copies = Plan { queue: Some(QueueFault::Copies(2)), ..well() };
    let (request, _, _) = run(&stage, Architecture::Appsync, copies).await;
    closed_calls(&stage, &request, 2).await;

    let again = Plan { queue: Some(QueueFault::Again), ..well() };
    let (request, planned, _) = run(&stage, Architecture::Appsync, again).await;
    eventually("the word of the second delivery", async || {
        let sent = planned.sent();
        let (_, last) = sent.last()?;
        String::from_utf8_lossy(last).contains("\"interrupted\"").then_some(())
    })
    .await;
    queue_is_empty(&stage).await;
    assert_eq!(closed_calls(&stage, &request, 1).await[0].tokens.len(), TOKENS.len());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_comes_late_is_not_answered() {
    let stage = Stage::open().await;
    let waited = Plan { queue: Some(QueueFault::Waited(90_000)), ..well() };
    let (request, _, trace) = run(&stage, Architecture::Appsync, waited).await;
    assert!(
        matches!(trace.outcome(), Outcome::Error { code: "deadline_exceeded", .. }),
        "{:?}",
        trace.outcome()
    );
    closed_calls(&stage, &request, 0).await;
    stage.close().await;
}

/// Nobody tells the clients of the two sockets: what they see of it is silence.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_is_killed_after_so_many_tokens() {
    let stage = Stage::open().await;
    for (architecture, function) in [
        (Architecture::FunctionUrl, "function-url"),
        (Architecture::WebsocketApi, "websocket-api-stream"),
        (Architecture::Appsync, "appsync-worker"),
    ] {
        let request = marked();
        stage.cloud.faults.plan(&request.stream_id, Plan { kill_after_tokens: Some(3), ..well() });
        let stream = stage.send(architecture, &request);
        let (call, exited) = (closed_calls(&stage, &request, 1), async {
            eventually("the environment to be gone", async || {
                let logs = stage.cloud.lambda.logs();
                logs.iter().any(|(of, line)| of == function && line.contains("Runtime exited")).then_some(())
            })
            .await;
        });
        let seen = async { tokio::join!(call, exited).0 };
        let call = tokio::select! {
            biased;
            (call, trace) = async { let trace = stream.await; (closed_calls(&stage, &request, 1).await, trace) } => {
                assert_eq!(architecture, Architecture::FunctionUrl, "{:?}", trace.outcome());
                assert!(matches!(trace.outcome(), Outcome::Failed(_)), "{:?}", trace.outcome());
                call
            }
            call = seen, if architecture != Architecture::FunctionUrl => call,
        };
        assert!(!call[0].completed && call[0].tokens.len() < TOKENS.len(), "{architecture}");
        assert!(stage.cloud.lambda.environments(function).is_empty(), "{architecture}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_every_stream_can_be_made_over_http() {
    let stage = Stage::with(|options| options.control = true).await;
    let address = stage.cloud.control().expect("a seventh port");
    let exchange = |method: &str, path: &str, body: &str| {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    let plan = r#"{"model":{"tokens":["planned"],"first_token_ms":0,"between_tokens_ms":0}}"#;
    assert!(exchange("PUT", "/plans", plan).starts_with("HTTP/1.1 204"));
    for architecture in Architecture::ALL {
        assert_eq!(stage.ask(architecture, "anything").await.text(), "planned", "{architecture}");
    }
    let calls = exchange("GET", "/model-calls?marker=anything", "");
    assert_eq!(calls.matches("\"completed\":true").count(), 3, "{calls}");
    assert!(exchange("DELETE", "/plans", "").starts_with("HTTP/1.1 204"));
    assert_ne!(stage.ask(Architecture::FunctionUrl, "anything").await.text(), "planned");
    stage.close().await;

    let stage = Stage::open().await;
    assert_eq!(stage.cloud.control(), None);
    stage.close().await;
}
