//! What must not be the end of the loop, and what is.

use std::{cell::RefCell, future::pending, time::Duration};

use serde_json::{Value, json};
use tokio::{select, sync::oneshot};

use super::{
    fake_api::{FakeApi, Piece, soon},
    head, play,
};
use crate::runtime::{Invocation, Responder, RuntimeApi, RuntimeError, run};

/// How the loop ends when `/next` is answered so.
async fn end_after(response: &str) -> RuntimeError {
    let (endpoint, mut fake) = FakeApi::start().await;
    let api = RuntimeApi::at(endpoint);
    let script = async {
        fake.request().await.reply(response);
        pending::<()>().await;
    };
    select! {
        ended = soon("the end", run(api, async |_, _| {})) => ended.expect_err("it ends only in errors"),
        () = script => unreachable!("the script waits for ever"),
    }
}

/// Tells when whatever holds it is dropped.
struct Held(#[expect(dead_code, reason = "only its drop matters")] oneshot::Sender<()>);

fn held() -> (RefCell<Option<Held>>, oneshot::Receiver<()>) {
    let (sender, dropped) = oneshot::channel();
    (RefCell::new(Some(Held(sender))), dropped)
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
            let Some(_answer) = answer.take() else { return responder.whole(&head(), b"fine").await };
            let body = responder.stream(&head()).await;
            body.send(b"a").await.expect("the body is read");
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
    let handle = async |_: Invocation, responder: Responder| responder.whole(&head(), b"a").await;
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
    async fn check<F: Future<Output = ()>>(name: &str, handle: impl Fn(Invocation, Responder) -> F) {
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
    async fn check<F: Future<Output = ()>>(
        name: &str,
        chunks: &[&str],
        handle: impl Fn(Invocation, Responder) -> F,
    ) {
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
        let _body = responder.stream(&head()).await;
        panic!("as the test wants")
    })
    .await;
    check("in one go with the first chunk", &["a"], async |_, responder| {
        responder.stream(&head()).await.send(b"a").await.unwrap();
        panic!("as the test wants")
    })
    .await;
    check("after two chunks", &["a", "b"], async |_, responder| {
        let body = responder.stream(&head()).await;
        body.send(b"a").await.unwrap();
        body.send(b"b").await.unwrap();
        tokio::task::yield_now().await;
        panic!("as the test wants")
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up_when_the_time_is_over() {
    let handle = async |_: Invocation, responder: Responder| responder.whole(&head(), b"a").await;
    play(handle, async |mut api| {
        api.invoke_for(Duration::from_millis(200), "one").await;
        let _unanswered = api.expect_post("invocation/one/response").await;
        api.invoke("two").await;
        api.expect_post("invocation/two/response").await;
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
    let odd = end_after(
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: a/../b\r\nlambda-runtime-deadline-ms: 1\r\n\
         content-length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(odd.to_string(), "the event has no usable lambda-runtime-aws-request-id");
    let endless = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: a\r\nlambda-runtime-deadline-ms: soon\r\n\
                   content-length: 0\r\n\r\n";
    assert_eq!(end_after(endless).await.to_string(), "the event has no usable lambda-runtime-deadline-ms");
    assert!(matches!(end_after("nonsense\r\n\r\n").await, RuntimeError::Gone(_)));
}
