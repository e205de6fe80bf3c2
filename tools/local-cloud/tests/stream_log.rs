//! Once, stopped, resumed: on each of the three, and from one to another.

mod support;

use std::time::{Duration, Instant};

use local_cloud::{bedrock::Script, cloud::test_user};
use probe::{Architecture, Outcome, ProbeError, Received, Request, Trace};
use serde_json::json;
use support::{PATIENCE, Stage, check_contract, eventually, other_user, paced, sign_in};
use tokio::join;

fn words(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("word{n} ")).collect()
}

/// Half a minute of words: it ends by being stopped, or not in time.
fn endless() -> Script {
    let words = words(300);
    paced(&words.iter().map(String::as_str).collect::<Vec<_>>(), Duration::from_millis(100))
}

fn short() -> Script {
    let words = words(12);
    paced(&words.iter().map(String::as_str).collect::<Vec<_>>(), Duration::from_millis(50))
}

async fn stream(stage: &Stage, architecture: Architecture, request: &Request) -> Trace {
    stage.send(architecture, request).await
}

async fn resume(
    stage: &Stage,
    architecture: Architecture,
    token: &str,
    request: &Request,
    after: Option<u64>,
) -> Trace {
    probe::resume(&stage.settings, architecture, token, &request.stream_id, after, PATIENCE, |_| {}).await
}

async fn cancel(
    stage: &Stage,
    architecture: Architecture,
    token: &str,
    request: &Request,
) -> Result<(), ProbeError> {
    probe::cancel(&stage.settings, architecture, token, &request.stream_id).await
}

/// When the model's connection of this stream was closed.
async fn model_closed(stage: &Stage, request: &Request) -> Instant {
    eventually("the model's connection to close", async || {
        stage.cloud.bedrock.calls_of(&request.stream_id).first().and_then(|call| call.closed)
    })
    .await
}

/// A request that the model's journal knows by its id.
fn marked() -> Request {
    let request = Request::prompt("");
    let prompt = format!("about {}", request.stream_id);
    request.with("prompt", prompt)
}

fn code_of(trace: &Trace) -> Option<&str> {
    match trace.outcome() {
        Outcome::Error { code, .. } => Some(code),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_from_any_of_the_three_ends_the_stream_on_any_other() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(endless());
    let one = async |on: Architecture, from: Architecture| {
        let name = format!("{on} stopped from {from}");
        let request = marked();
        let (saw_text, text_seen) = tokio::sync::oneshot::channel();
        let mut saw_text = Some(saw_text);
        let watch = |received: &Received| {
            if !received.text().is_empty() {
                saw_text.take().map(|saw_text| saw_text.send(()));
            }
        };
        let streaming = probe::stream_within(&stage.settings, on, &stage.token, &request, PATIENCE, watch);
        let stopping = async {
            text_seen.await.expect("text");
            cancel(&stage, from, &stage.token, &request).await.expect("it is there to be stopped");
            Instant::now()
        };
        let (trace, asked) = join!(streaming, stopping);
        check_contract(&name, &request, &trace);
        let last = &trace.ordered().last().expect("events").event;
        assert_eq!((&last["type"], &last["stop_reason"]), (&json!("done"), &json!("cancelled")), "{name}");
        assert!(last.get("usage").is_none(), "{name}: the model has not said");
        assert!(words(300).concat().starts_with(&trace.text()) && !trace.text().is_empty(), "{name}");
        let took = model_closed(&stage, &request).await.saturating_duration_since(asked);
        println!("{name}: the model was closed after {took:?}");
        assert!(took < Duration::from_secs(2), "{name}: {took:?}");
    };
    for on in Architecture::ALL {
        join!(
            one(on, Architecture::FunctionUrl),
            one(on, Architecture::WebsocketApi),
            one(on, Architecture::Appsync)
        );
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_before_the_first_token_ends_the_stream_and_the_model() {
    let stage = Stage::open().await;
    let silent = Script { first_token_after: Duration::from_secs(25), ..short() };
    stage.cloud.bedrock.script(silent);
    for architecture in Architecture::ALL {
        let request = marked();
        let stopping = async {
            model_asked(&stage, &request).await;
            cancel(&stage, architecture, &stage.token, &request).await.expect("it is there to be stopped");
        };
        let (trace, ()) = join!(stream(&stage, architecture, &request), stopping);
        check_contract(architecture.name(), &request, &trace);
        assert_eq!((trace.text(), trace.ordered().len()), (String::new(), 2), "{architecture}");
        let call = &stage.cloud.bedrock.calls_of(&request.stream_id)[0];
        assert!(call.tokens.is_empty() && !call.completed, "{architecture}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_on_one_is_resumed_on_each() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(short());
    for begun_on in Architecture::ALL {
        let request = marked();
        let live = stream(&stage, begun_on, &request).await;
        check_contract(begun_on.name(), &request, &live);
        for resumed_on in Architecture::ALL {
            let name = format!("{begun_on}, then {resumed_on}");
            let whole = resume(&stage, resumed_on, &stage.token, &request, None).await;
            check_contract(&name, &request, &whole);
            let events = |trace: &Trace| {
                trace.ordered().into_iter().map(|received| received.event.clone()).collect::<Vec<_>>()
            };
            assert_eq!(events(&whole), events(&live), "{name}");
            let rest = resume(&stage, resumed_on, &stage.token, &request, Some(2)).await;
            assert_eq!(events(&rest), events(&live)[3..], "{name}");
        }
        assert_eq!(stage.cloud.bedrock.calls_of(&request.stream_id).len(), 1, "{begun_on}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_runs_is_resumed_live() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["word "; 40], Duration::from_millis(50)));
    for architecture in Architecture::ALL {
        let request = marked();
        let late = async {
            eventually("a few tokens", async || {
                let calls = stage.cloud.bedrock.calls_of(&request.stream_id);
                (calls.first()?.tokens.len() > 5).then_some(())
            })
            .await;
            resume(&stage, architecture, &stage.token, &request, None).await
        };
        let (live, late) = join!(stream(&stage, architecture, &request), late);
        check_contract(architecture.name(), &request, &live);
        // Over AppSync what is read out of the log and what is published arrive side by side.
        let numbers: Vec<_> = late.ordered().into_iter().filter_map(Received::seq).collect();
        assert_eq!((late.failure.as_ref(), numbers), (None, live.seqs()), "{architecture}");
        assert_eq!(late.text(), live.text(), "{architecture}");
        let ended = |trace: &Trace| trace.ordered().last().expect("events").at;
        let behind = ended(&late).saturating_duration_since(ended(&live));
        println!("{architecture}: half way in, and {behind:?} behind at the end");
        assert!(behind < Duration::from_secs(3), "{architecture}: {behind:?}");
        let first = late.ordered()[0].at;
        assert!(ended(&late) - first > Duration::from_millis(500), "{architecture}: all at once");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_is_asked_once_and_another_one_under_its_id_not_at_all() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["word "; 20], Duration::from_millis(50)));
    for architecture in Architecture::ALL {
        let request = marked();
        let again = async {
            eventually("the first token", async || {
                let calls = stage.cloud.bedrock.calls_of(&request.stream_id);
                (!calls.first()?.tokens.is_empty()).then_some(())
            })
            .await;
            // On another transport, since one subscriber of the same session hears the other's events.
            let others = Architecture::ALL.into_iter().filter(|other| *other != architecture);
            for other in others.filter(|other| *other != Architecture::Appsync) {
                let trace = stream(&stage, other, &request).await;
                assert_eq!(code_of(&trace), Some("conflict"), "{architecture}, then {other}: {trace:?}");
            }
        };
        let (live, ()) = join!(stream(&stage, architecture, &request), again);
        check_contract(architecture.name(), &request, &live);
        for again in [Architecture::FunctionUrl, Architecture::WebsocketApi] {
            let replayed = stream(&stage, again, &request).await;
            assert_eq!(replayed.text(), live.text(), "{architecture}, then {again}");
        }
        let other = Request { stream_id: request.stream_id.clone(), ..Request::prompt("something else") };
        let other = other.with("stream_id", request.stream_id.as_str());
        for again in Architecture::ALL {
            let trace = stream(&stage, again, &other).await;
            assert_eq!(code_of(&trace), Some("conflict"), "{architecture}, then {again}: {trace:?}");
        }
        assert_eq!(stage.cloud.bedrock.calls_of(&request.stream_id).len(), 1, "{architecture}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stops_or_resumes_the_stream_of_another() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(short());
    let other = sign_in(&stage.settings, &other_user()).await;
    let request = marked();
    stream(&stage, Architecture::FunctionUrl, &request).await;
    for architecture in Architecture::ALL {
        let refused = cancel(&stage, architecture, &other, &request).await;
        let said = refused.expect_err("another user's stream").to_string();
        assert!(said.contains("not_found"), "{architecture}: {said}");
        let trace = resume(&stage, architecture, &other, &request, None).await;
        assert_eq!(code_of(&trace), Some("not_found"), "{architecture}: {trace:?}");
        assert_eq!(trace.text(), "", "{architecture}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_has_so_many_answers_at_once() {
    let stage = Stage::with(|options| {
        options.environment = vec![("MAX_STREAMS_PER_USER".to_owned(), "2".to_owned())];
    })
    .await;
    stage.cloud.bedrock.script(endless());
    let other = sign_in(&stage.settings, &other_user()).await;
    let running = [marked(), marked()];
    let refusals = async {
        for request in &running {
            model_asked(&stage, request).await;
        }
        for architecture in Architecture::ALL {
            let request = marked();
            let trace = stream(&stage, architecture, &request).await;
            assert_eq!(code_of(&trace), Some("rate_limited"), "{architecture}: {trace:?}");
            assert!(stage.cloud.bedrock.calls_of(&request.stream_id).is_empty(), "{architecture}");
        }
        // Another user is not concerned.
        let theirs = marked();
        let stop = async {
            model_asked(&stage, &theirs).await;
            cancel(&stage, Architecture::FunctionUrl, &other, &theirs).await.expect("theirs");
        };
        let theirs_live = probe::stream(&stage.settings, Architecture::FunctionUrl, &other, &theirs, |_| {});
        join!(theirs_live, stop);
        for request in &running {
            cancel(&stage, Architecture::FunctionUrl, &stage.token, request).await.expect("it runs");
        }
    };
    let (first, second, ()) = join!(
        stream(&stage, Architecture::FunctionUrl, &running[0]),
        stream(&stage, Architecture::Appsync, &running[1]),
        refusals
    );
    assert_eq!((first.failure, second.failure), (None, None));
    // Their places are free again.
    stage.cloud.bedrock.script(short());
    for architecture in Architecture::ALL {
        let trace = eventually("a place", async || {
            let trace = stream(&stage, architecture, &marked()).await;
            (code_of(&trace) != Some("rate_limited")).then_some(trace)
        })
        .await;
        assert_eq!(trace.text(), words(12).concat(), "{architecture}");
    }
    stage.close().await;
}

async fn model_asked(stage: &Stage, request: &Request) {
    eventually("the model to be asked", async || {
        stage.cloud.bedrock.calls_of(&request.stream_id).first().map(|_| ())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_log_all_three_stream_and_nothing_is_found() {
    let stage = Stage::with(|options| options.stream_log = false).await;
    stage.cloud.bedrock.script(short());
    for architecture in Architecture::ALL {
        let request = marked();
        let trace = stream(&stage, architecture, &request).await;
        check_contract(architecture.name(), &request, &trace);
        assert_eq!(trace.text(), words(12).concat(), "{architecture}");
        let refused = cancel(&stage, architecture, &stage.token, &request).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("not_found")), "{architecture}");
        let trace = resume(&stage, architecture, &stage.token, &request, None).await;
        assert_eq!(code_of(&trace), Some("not_found"), "{architecture}: {trace:?}");
    }
    stage.close().await;
}

/// What AWS would bill for it; `docs/operations.md` has the price.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_an_answer_of_ten_seconds_is_some_forty_writes_and_as_many_reads() {
    let measure = async |architecture: Architecture| {
        let stage = Stage::with(|options| options.environment.clear()).await;
        stage.cloud.bedrock.script(paced(&["token "; 500], Duration::from_millis(20)));
        let trace = stream(&stage, architecture, &marked()).await;
        assert_eq!(trace.text().len(), 3_000, "{architecture}");
        // The last writes come after the last event.
        let metered = eventually("the account to be settled", async || {
            let account =
                stage.cloud.dynamodb.items("tristream-streams", &format!("user#{}", test_user().sub));
            let is_settled = account[0]["running"]["M"].as_object().is_some_and(serde_json::Map::is_empty);
            is_settled.then(|| stage.cloud.dynamodb.metered())
        })
        .await;
        println!("{architecture}: {} writes, {} reads", metered.writes, metered.half_reads / 2);
        assert!((30..=56).contains(&metered.writes), "{architecture}: {} writes", metered.writes);
        assert!(metered.half_reads / 2 <= 50, "{architecture}: {} reads", metered.half_reads / 2);
        stage.close().await;
    };
    let [url, websocket, appsync] = Architecture::ALL;
    join!(measure(url), measure(websocket), measure(appsync));
}
