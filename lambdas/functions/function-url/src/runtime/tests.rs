//! The loop over a real socket.

mod failures;
mod fake_api;

use std::{cell::RefCell, future::pending, time::Duration};

use http::{HeaderValue, StatusCode};
use lambda_runtime::MetadataPrelude;
use serde_json::{Value, json};
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use self::fake_api::{FakeApi, Piece, soon};
use super::*;

/// Runs the loop beside a script that plays the Runtime API. The script ends the test; the loop must not.
async fn play<F: Future<Output = ()>>(
    handle: impl Fn(Invocation, Responder) -> F,
    script: impl AsyncFnOnce(FakeApi),
) {
    let (endpoint, fake) = FakeApi::start().await;
    let api = RuntimeApi::at(endpoint);
    select! {
        ended = run(api, handle) => panic!("the loop ended: {ended:?}"),
        () = script(fake) => {}
    }
}

fn head() -> MetadataPrelude {
    crate::responder::head(StatusCode::OK, HeaderValue::from_static("text/event-stream"))
}

#[tokio::test]
async fn the_head_leaves_at_once_in_one_chunk_with_its_end() {
    let handle = async |invocation: Invocation, responder: Responder| {
        assert_eq!((invocation.request_id.as_str(), &invocation.payload[..]), ("one", &b"{}"[..]));
        let _body = responder.stream(&head()).await;
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
        let body = responder.stream(&head()).await;
        while let Some(token) = said.recv().await {
            body.send(token.as_bytes()).await.expect("the body is read");
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
        let body = responder.stream(&head()).await;
        let mut pace = interval(Duration::from_millis(5));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..TOKENS {
            pace.tick().await;
            said_at.borrow_mut().push(Instant::now());
            body.send(b"x").await.expect("the body is read");
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
    let handle = async |_: Invocation, responder: Responder| responder.whole(&head(), b"refused").await;
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
async fn answers_share_a_connection_as_long_as_the_runtime_api_keeps_it() {
    let handle = async |_: Invocation, responder: Responder| responder.whole(&head(), b"a").await;
    play(handle, async |mut api| {
        let mut connections = Vec::new();
        for reply in [
            "HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n",
            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        ] {
            api.invoke("one").await;
            let mut post = api.expect_post("invocation/one/response").await;
            connections.push(post.connection);
            while let Piece::Chunk(..) = post.piece().await {}
            post.reply(reply);
        }
        api.invoke("one").await;
        connections.push(api.expect_post("invocation/one/response").await.connection);
        let [first, second, third, fourth, fifth, sixth] = connections[..] else {
            unreachable!("six answers")
        };
        assert_eq!((first, first), (second, third), "a status is no reason");
        assert!(third != fourth && fourth != fifth, "closed, and of an unknown end: {connections:?}");
        assert_eq!(fifth, sixth);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_no_answer() {
    let handle = async |_: Invocation, responder: Responder| responder.whole(&head(), b"a").await;
    play(handle, async |mut api| {
        api.invoke("one").await;
        let mut post = api.expect_post("invocation/one/response").await;
        while let Piece::Chunk(..) = post.piece().await {}
        let connection = post.connection;
        soon("the end of the connection", post.accept_and_hang_up()).await.unwrap();
        api.invoke("two").await;
        let mut post = api.expect_post("invocation/two/response").await;
        assert_ne!(post.connection, connection);
        post.chunk().await;
        assert_eq!(post.chunk().await, b"a");
    })
    .await;
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
