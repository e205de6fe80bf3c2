//! The loop over a real socket.

mod fake_api;

use std::{cell::RefCell, future::pending, time::Duration};

use http::{HeaderValue, StatusCode};
use lambda_runtime::MetadataPrelude;
use serde_json::{Value, json};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval},
};

use self::fake_api::{FakeApi, Piece, soon};
use super::*;

/// Runs the loop beside a script that plays the Runtime API. The script ends the test; the loop must not.
async fn play(handle: impl AsyncFn(Invocation, Responder), script: impl AsyncFnOnce(FakeApi)) {
    let (endpoint, fake) = FakeApi::start().await;
    let api = RuntimeApi::at(endpoint);
    select! {
        ended = run(&api, handle) => panic!("the loop ended: {ended:?}"),
        () = script(fake) => {}
    }
}

/// How the loop ends when `/next` is answered so.
async fn end_after(response: &str) -> RuntimeError {
    let (endpoint, mut fake) = FakeApi::start().await;
    let api = RuntimeApi::at(endpoint);
    let script = async {
        fake.request().await.reply(response);
        pending::<()>().await;
    };
    select! {
        ended = soon("the end", run(&api, async |_, _| {})) => ended.expect_err("it ends only in errors"),
        () = script => unreachable!("the script waits for ever"),
    }
}

fn head() -> MetadataPrelude {
    crate::responder::head(StatusCode::OK, HeaderValue::from_static("text/event-stream"))
}

/// Tells when whatever holds it is dropped.
struct Held(#[expect(dead_code, reason = "only its drop matters")] oneshot::Sender<()>);

fn held() -> (RefCell<Option<Held>>, oneshot::Receiver<()>) {
    let (sender, dropped) = oneshot::channel();
    (RefCell::new(Some(Held(sender))), dropped)
}

#[tokio::test]
async fn the_head_leaves_at_once_in_one_chunk_with_its_end() {
    let handle = async |invocation: Invocation, responder: Responder| {
        assert_eq!((invocation.request_id.as_str(), &invocation.payload[..]), ("one", &b"{}"[..]));
        let _body = responder.stream(head());
        // The model has not said a word yet.
        pending::<()>().await;
    };
    play(handle, async |mut api| {
        api.invoke("one").await;
        let mut post = api.expect_post("invocation/one/response").await;
        for (name, value) in [
            ("content-type", "application/vnd.awslambda.http-integration-response"),
            ("lambda-runtime-function-response-mode", "streaming"),
            ("transfer-encoding", "chunked"),
            ("trailer", "lambda-runtime-function-error-type, lambda-runtime-function-error-body"),
        ] {
            assert_eq!(post.header(name), Some(value), "{name}");
        }
        assert_eq!(post.header("content-length"), None);
        let prelude = post.chunk().await;
        let json = prelude.strip_suffix(&[0; 8]).expect("eight NULs end the prelude");
        let json: Value = serde_json::from_slice(json).expect("and JSON is before them");
        assert_eq!(json["statusCode"], 200);
        assert_eq!(json["headers"]["content-type"], "text/event-stream");
        assert_eq!(json["headers"]["cache-control"], "no-store");
    })
    .await;
}

#[tokio::test]
async fn each_token_is_a_chunk_that_arrives_before_there_is_another() {
    let (say, said) = mpsc::channel::<&str>(1);
    let said = RefCell::new(Some(said));
    let handle = async |_: Invocation, responder: Responder| {
        let mut said = said.take().expect("one invocation");
        let body = responder.stream(head());
        while let Some(token) = said.recv().await {
            body.send(token.into()).await.expect("the body is read");
        }
    };
    play(handle, async |mut api| {
        api.invoke("one").await;
        let mut post = api.expect_post("invocation/one/response").await;
        post.chunk().await;
        for token in ["Hel", "lo", ",", " \u{1f600}", "\n\n"] {
            say.send(token).await.unwrap();
            assert_eq!(post.chunk().await, token.as_bytes());
        }
        drop(say);
        assert_eq!(post.trailers().await, []);
        post.accept();
        api.expect_next().await;
    })
    .await;
}

#[tokio::test]
async fn no_token_waits_for_an_acknowledgement() {
    const TOKENS: usize = 12;
    let said_at = RefCell::new(Vec::new());
    let handle = async |_: Invocation, responder: Responder| {
        let body = responder.stream(head());
        let mut pace = interval(Duration::from_millis(5));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..TOKENS {
            pace.tick().await;
            said_at.borrow_mut().push(Instant::now());
            body.send("x".into()).await.expect("the body is read");
        }
    };
    play(handle, async |mut api| {
        let mut worst_lags = Vec::new();
        for _ in 0..9 {
            said_at.borrow_mut().clear();
            api.invoke("one").await;
            let mut post = api.expect_post("invocation/one/response").await;
            post.chunk().await;
            let mut worst = Duration::ZERO;
            for at in 0..TOKENS {
                let Piece::Chunk(_, arrived) = post.piece().await else { panic!("the body ended") };
                worst = worst.max(arrived - said_at.borrow()[at]);
            }
            worst_lags.push(worst);
            assert_eq!(post.trailers().await, []);
            post.accept();
        }
        // Nagle's algorithm holds the first tokens of an answer back for 40 ms. A busy machine may delay some
        // answers as long, but not most of them.
        worst_lags.sort();
        assert!(worst_lags[4] < Duration::from_millis(25), "{worst_lags:?}");
    })
    .await;
}

#[tokio::test]
async fn a_whole_answer_ends_well_and_the_next_event_is_asked_for() {
    let handle = async |_: Invocation, responder: Responder| responder.whole(head(), "refused".into()).await;
    play(handle, async |mut api| {
        for request_id in ["one", "two", "three"] {
            api.invoke(request_id).await;
            let mut post = api.expect_post(&format!("invocation/{request_id}/response")).await;
            post.chunk().await;
            assert_eq!(post.chunk().await, b"refused");
            assert_eq!(post.trailers().await, [], "a refusal is not a broken answer");
            post.accept();
        }
        api.expect_next().await;
    })
    .await;
}

#[tokio::test]
async fn a_runtime_api_that_stops_reading_closes_the_body_and_not_the_loop() {
    for (name, reply) in [
        ("403", Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")),
        ("413", Some("HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")),
        ("a connection that is dropped", None),
    ] {
        let (answer, answer_dropped) = held();
        let handle = async |_: Invocation, responder: Responder| {
            let Some(_answer) = answer.take() else { return responder.whole(head(), "fine".into()).await };
            let body = responder.stream(head());
            body.send("a".into()).await.expect("the body is read");
            // The model thinks: nothing is sent that could fail.
            body.closed().await;
        };
        play(handle, async |mut api| {
            api.invoke("one").await;
            let mut post = api.expect_post("invocation/one/response").await;
            post.chunk().await;
            post.chunk().await;
            match reply {
                Some(reply) => post.reply(reply),
                None => post.hang_up(),
            }
            let dropped = soon(&format!("{name}: the model's connection is closed"), answer_dropped).await;
            assert!(dropped.is_err(), "{name}: dropped, nothing was sent");
            api.invoke("two").await;
            let mut post = api.expect_post("invocation/two/response").await;
            post.chunk().await;
            assert_eq!(post.chunk().await, b"fine", "{name}: the next one is answered");
        })
        .await;
    }
}

#[tokio::test]
async fn a_rejected_answer_is_not_the_end_of_the_loop() {
    let handle = async |_: Invocation, responder: Responder| responder.whole(head(), "a".into()).await;
    play(handle, async |mut api| {
        api.invoke("one").await;
        let mut post = api.expect_post("invocation/one/response").await;
        while let Piece::Chunk(..) = post.piece().await {}
        post.reply("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
        api.expect_next().await;
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_ends_before_it_answers_is_an_invocation_error() {
    async fn check(name: &str, handle: impl AsyncFn(Invocation, Responder)) {
        play(handle, async |mut api| {
            api.invoke("one").await;
            let mut post = api.expect_post("invocation/one/error").await;
            assert_eq!(post.header("lambda-runtime-function-error-type"), Some("Runtime.Panic"), "{name}");
            let report: Value = serde_json::from_slice(&post.chunk().await).unwrap();
            let expected = json!({
                "errorType": "Runtime.Panic", "errorMessage": "the handler ended without an answer",
            });
            assert_eq!(report, expected, "{name}: and nothing of the panic's own text");
            post.accept();
            api.expect_next().await;
        })
        .await;
    }
    check("a panic at once", async |_, _| panic!("a secret")).await;
    check("a panic later", async |_, _| {
        tokio::task::yield_now().await;
        panic!("a secret")
    })
    .await;
    check("no answer", async |_, _| {}).await;
}

#[tokio::test]
async fn a_panic_after_the_answer_began_is_told_in_the_trailers() {
    async fn check(name: &str, chunks: &[&str], handle: impl AsyncFn(Invocation, Responder)) {
        // What races in here is decided by chance; often enough shows both ways.
        for _ in 0..20 {
            play(&handle, async |mut api| {
                api.invoke("one").await;
                let mut post = api.expect_post("invocation/one/response").await;
                post.chunk().await;
                for chunk in chunks {
                    assert_eq!(post.chunk().await, chunk.as_bytes(), "{name}");
                }
                let trailers = post.trailers().await;
                let error_type =
                    trailers.iter().find(|(name, _)| name == "lambda-runtime-function-error-type");
                assert_eq!(error_type.map(|(_, value)| value.as_str()), Some("Runtime.Panic"), "{name}");
                post.accept();
                api.expect_next().await;
            })
            .await;
        }
    }
    check("with the head", &[], async |_, responder| {
        let _body = responder.stream(head());
        panic!("as the test wants")
    })
    .await;
    check("in one go with the first chunk", &["a"], async |_, responder| {
        responder.stream(head()).send("a".into()).await.unwrap();
        panic!("as the test wants")
    })
    .await;
    check("after two chunks", &["a", "b"], async |_, responder| {
        let body = responder.stream(head());
        body.send("a".into()).await.unwrap();
        body.send("b".into()).await.unwrap();
        tokio::task::yield_now().await;
        panic!("as the test wants")
    })
    .await;
}

#[tokio::test]
async fn without_an_event_the_loop_ends_and_says_why() {
    let refused = end_after("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(refused.to_string(), "the Runtime API answered 500 Internal Server Error for the next event");
    let nameless =
        end_after("HTTP/1.1 200 OK\r\nlambda-runtime-deadline-ms: 1\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(nameless.to_string(), "the event has no usable lambda-runtime-aws-request-id");
    let endless = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: a\r\nlambda-runtime-deadline-ms: soon\r\n\
                   content-length: 0\r\n\r\n";
    assert_eq!(end_after(endless).await.to_string(), "the event has no usable lambda-runtime-deadline-ms");
    assert!(matches!(end_after("nonsense\r\n\r\n").await, RuntimeError::Gone(_)));
}

#[tokio::test]
async fn a_start_that_fails_is_reported_with_its_causes() {
    let (endpoint, mut fake) = FakeApi::start().await;
    let api = RuntimeApi::at(endpoint);
    let assembled: anyhow::Result<()> = Err(anyhow::anyhow!("MODEL_ID is not set").context("no model"));
    let script = async {
        let mut post = fake.expect_post("init/error").await;
        assert_eq!(post.header("lambda-runtime-function-error-type"), Some("Runtime.InitError"));
        let report: Value = serde_json::from_slice(&post.chunk().await).unwrap();
        let expected =
            json!({ "errorType": "Runtime.InitError", "errorMessage": "no model: MODEL_ID is not set" });
        assert_eq!(report, expected);
        post.accept();
    };
    let (passed_on, ()) = tokio::join!(or_report_init_error(&api, assembled), script);
    assert!(passed_on.is_err(), "the process still has to end");
}

#[tokio::test]
async fn a_start_that_works_is_passed_on_in_silence() {
    let (endpoint, _fake) = FakeApi::start().await;
    let started: anyhow::Result<i32> = or_report_init_error(&RuntimeApi::at(endpoint), Ok(7)).await;
    assert_eq!(started.unwrap(), 7);
}
