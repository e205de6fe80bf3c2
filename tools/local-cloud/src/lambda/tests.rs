//! Against real processes: the example `echo_bootstrap`, over the real Runtime API.

use std::{
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Billed, FunctionConfig, InvokeError, Lambda, MAX_PAYLOAD, OnDisconnect, StreamingResponse,
    double::{echo, eventually, logged},
};
use crate::faults::{Faults, Plan};

type Check = fn(&InvokeError) -> bool;

fn lambda(change: impl FnOnce(&mut FunctionConfig)) -> Lambda {
    let mut config = echo("f");
    change(&mut config);
    Lambda::new(vec![config])
}

async fn invoke(lambda: &Lambda, order: Value) -> Result<Value, InvokeError> {
    let answer = lambda.invoke("f", order.to_string().into()).await?;
    Ok(serde_json::from_slice(&answer).expect("the double answers in JSON"))
}

async fn stream(lambda: &Lambda, order: Value) -> Result<StreamingResponse, InvokeError> {
    lambda.invoke_with_response_stream("f", order.to_string().into()).await
}

async fn read_all(response: &mut StreamingResponse) -> (String, Option<InvokeError>) {
    let mut text = String::new();
    while let Some(chunk) = response.body.recv().await {
        match chunk {
            Ok(chunk) => text += std::str::from_utf8(&chunk).expect("the double sends ASCII"),
            Err(error) => return (text, Some(error)),
        }
    }
    (text, None)
}

#[tokio::test]
async fn an_idle_environment_is_used_again() {
    let lambda = lambda(|_| {});
    assert!(lambda.environments("f").is_empty(), "nothing starts before it is needed");
    for n in 0..20 {
        assert_eq!(invoke(&lambda, json!({ "n": n })).await.unwrap(), json!({ "n": n }));
    }
    assert_eq!(lambda.environments("f").len(), 1);
    eventually("the line", || logged(&lambda, "started") == 1).await;
    lambda.shutdown().await;
    assert!(lambda.environments("f").is_empty());
    assert!(matches!(invoke(&lambda, json!({})).await, Err(InvokeError::Init { .. })));
}

#[tokio::test]
async fn what_is_provisioned_serves_the_next_invocation_and_every_invocation_is_billed() {
    let lambda = lambda(|_| {});
    let provisioned = lambda.provision("f").await.unwrap();
    assert!(provisioned.init > Duration::ZERO && provisioned.init < Duration::from_secs(5));
    assert_eq!(lambda.billed("f"), Billed::default(), "nobody has asked for anything yet");
    let began = Instant::now();
    invoke(&lambda, json!({})).await.unwrap();
    assert!(invoke(&lambda, json!({"do": "fail"})).await.is_err());
    assert_eq!(lambda.environments("f"), [provisioned.pid]);
    let billed = lambda.billed("f");
    assert_eq!(billed.requests, 2, "a failure is billed, too");
    assert!(billed.duration > Duration::ZERO && billed.duration <= began.elapsed());
    let config = lambda.config("f").unwrap();
    lambda.shutdown().await;
    assert!(matches!(lambda.provision("f").await, Err(InvokeError::Init { .. })));
    let again = Lambda::new(vec![config]);
    assert!(again.provision("f").await.is_ok());
    again.shutdown().await;
}

#[tokio::test]
async fn a_function_sees_lambdas_environment_and_nothing_else() {
    let lambda = lambda(|config| config.environment = vec![("MODEL_ID".into(), "m".into())]);
    let environment = invoke(&lambda, json!({"do": "environment"})).await.unwrap();
    for (name, value) in [
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        ("_HANDLER", "bootstrap"),
        ("MODEL_ID", "m"),
    ] {
        assert_eq!(environment[name], value);
    }
    assert!(environment.get("HOME").is_none());
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_busy_function_throttles_and_an_event_waits() {
    let lambda = lambda(|_| {});
    let gate = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gate.local_addr().unwrap().port();
    let mut first = stream(&lambda, json!({"do": "stream", "chunks": ["a"], "gate": port})).await.unwrap();
    let throttled = invoke(&lambda, json!({})).await.unwrap_err();
    assert!(matches!(throttled, InvokeError::Throttled { limit: 1, .. }), "{throttled:?}");
    lambda.invoke_event("f", json!({"do": "twice"}).to_string().into());
    gate.accept().unwrap().0.write_all(b"1").unwrap();
    assert_eq!(read_all(&mut first).await.0, "a");
    eventually("the event's second answer is refused", || logged(&lambda, "second answer 403") == 1).await;
    lambda.shutdown().await;
}

#[tokio::test]
async fn every_way_to_fail_has_its_error_and_the_next_invocation_works() {
    let cases: [(Value, Check); 6] = [
        (
            json!({"do": "fail"}),
            |error| matches!(error, InvokeError::Function { error_type, message } if error_type == "Boom" && message == "as told"),
        ),
        (json!({"do": "exit"}), |error| matches!(error, InvokeError::Exited { .. })),
        (json!({"do": "hang"}), |error| matches!(error, InvokeError::TimedOut { .. })),
        (
            json!({"do": "skip"}),
            |error| matches!(error, InvokeError::Function { error_type, .. } if error_type == "Runtime.NoAnswer"),
        ),
        (
            json!({"do": "large", "size": MAX_PAYLOAD + 1}),
            |error| matches!(error, InvokeError::Function { error_type, .. } if error_type == "Function.ResponseSizeTooLarge"),
        ),
        (
            json!({"do": "stream", "prelude": {"statusCode": "x"}}),
            |error| matches!(error, InvokeError::Function { error_type, .. } if error_type == "Runtime.InvalidPrelude"),
        ),
    ];
    let lambda = lambda(|config| config.timeout = Duration::from_secs(2));
    for (order, check) in cases {
        let error = invoke(&lambda, order.clone()).await.unwrap_err();
        assert!(check(&error), "{order}: {error:?}");
        assert_eq!(
            invoke(&lambda, json!({"do": "echo"})).await.unwrap(),
            json!({"do": "echo"}),
            "after {order}"
        );
    }
    assert!(matches!(
        lambda.invoke("other", Bytes::new()).await,
        Err(InvokeError::UnknownFunction(name)) if name == "other"
    ));
    eventually("the refusal", || logged(&lambda, "large answer 413") == 1).await;
    eventually("the platform's line", || logged(&lambda, "Task timed out after 2.00 seconds") == 1).await;
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_response_of_exactly_the_limit_passes() {
    let lambda = lambda(|_| {});
    let order = json!({"do": "large", "size": MAX_PAYLOAD}).to_string();
    assert_eq!(lambda.invoke("f", order.into()).await.unwrap().len(), MAX_PAYLOAD);
    lambda.shutdown().await;
}

#[tokio::test]
async fn an_init_that_fails_says_why() {
    for (mode, reason) in [("error", "Init.Bad: no settings"), ("exit", "exited during its init")] {
        let lambda = lambda(|config| config.environment = vec![("ECHO_INIT".into(), mode.into())]);
        let error = invoke(&lambda, json!({})).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(lambda.environments("f").is_empty());
    }
    let missing = lambda(|config| config.bootstrap = PathBuf::from("/nonexistent/bootstrap"));
    assert!(invoke(&missing, json!({})).await.unwrap_err().to_string().contains("/nonexistent/bootstrap"));
}

#[tokio::test]
async fn a_killed_idle_environment_is_replaced() {
    let lambda = lambda(|_| {});
    invoke(&lambda, json!({})).await.unwrap();
    let pid = lambda.environments("f")[0];
    Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    eventually("its end", || lambda.environments("f").is_empty()).await;
    invoke(&lambda, json!({})).await.unwrap();
    assert_ne!(lambda.environments("f"), [pid]);
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_prelude_may_be_split_anywhere() {
    let lambda = lambda(|_| {});
    let prelude = json!({"statusCode": 201, "headers": {"x-a": "b"}, "cookies": ["c=d", "e=f"]});
    for split in [1, 2, 7, 1000] {
        let order = json!({"do": "stream", "prelude": prelude, "split": split, "chunks": ["Hel", "lo"]});
        let mut response = stream(&lambda, order).await.unwrap();
        assert_eq!((response.status, response.headers["x-a"].to_str().unwrap()), (201, "b"));
        assert_eq!(response.cookies, ["c=d", "e=f"]);
        assert!(matches!(read_all(&mut response).await, (text, None) if text == "Hello"), "split {split}");
    }
    let mut bare = stream(&lambda, json!({"do": "stream", "chunks": ["x"]})).await.unwrap();
    assert_eq!((bare.status, read_all(&mut bare).await.0), (200, "x".to_owned()));
    let mut buffered = stream(&lambda, json!(7)).await.unwrap();
    assert_eq!((buffered.status, read_all(&mut buffered).await.0), (200, "7".to_owned()));
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_chunk_is_forwarded_before_the_next_exists() {
    let lambda = lambda(|_| {});
    let gate = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gate.local_addr().unwrap().port();
    let order = json!({"do": "stream", "prelude": {}, "chunks": ["1", "2", "3"], "gate": port});
    let mut response = stream(&lambda, order).await.unwrap();
    let mut gate = gate.accept().unwrap().0;
    for expected in ["1", "2", "3"] {
        gate.write_all(b"-").unwrap();
        assert_eq!(response.body.recv().await.unwrap().unwrap(), expected);
    }
    assert!(response.body.recv().await.is_none());
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_breaks_never_ends_cleanly() {
    let cases: [(&str, Check); 4] = [
        ("exit", |error| matches!(error, InvokeError::Exited { .. })),
        ("hang", |error| matches!(error, InvokeError::TimedOut { .. })),
        (
            "abort",
            |error| matches!(error, InvokeError::Function { error_type, .. } if error_type == "Runtime.TruncatedResponse"),
        ),
        (
            "trailer",
            |error| matches!(error, InvokeError::Function { error_type, message } if error_type == "Boom" && message == "half way"),
        ),
    ];
    let lambda = lambda(|config| config.timeout = Duration::from_secs(2));
    for (then, check) in cases {
        let order = json!({"do": "stream", "prelude": {}, "chunks": ["ab", "c"], "then": then});
        let (text, error) = read_all(&mut stream(&lambda, order).await.unwrap()).await;
        assert_eq!(text, "abc", "{then}");
        assert!(error.as_ref().is_some_and(check), "{then}: {error:?}");
        assert_eq!(invoke(&lambda, json!(1)).await.unwrap(), json!(1), "after {then}");
    }
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_slow_reader_slows_the_function_and_still_gets_the_error() {
    const SIZE: usize = 64 * 1024 * 1024;
    let lambda = lambda(|config| config.timeout = Duration::from_secs(1));
    let mut response = stream(&lambda, json!({"do": "flood", "size": SIZE})).await.unwrap();
    eventually("the timeout", || logged(&lambda, "timed out") == 1).await;
    assert_eq!(logged(&lambda, "flooded"), 0, "nobody has read, so it cannot have finished");
    let (text, error) = read_all(&mut response).await;
    assert!(text.len() < SIZE / 8, "{}", text.len());
    assert!(matches!(error, Some(InvokeError::TimedOut { .. })));
    lambda.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_leaves_is_unknown_to_the_function_unless_configured() {
    for (on_disconnect, line) in
        [(OnDisconnect::Drain, "flooded 202"), (OnDisconnect::Signal, "dropped before")]
    {
        let lambda = lambda(|config| config.on_disconnect = on_disconnect);
        drop(stream(&lambda, json!({"do": "flood", "size": 32 * 1024 * 1024})).await.unwrap());
        eventually(line, || logged(&lambda, line) == 1).await;
        eventually("it is idle again", || lambda.environments("f").len() == 1).await;
        lambda.shutdown().await;
    }
}

#[tokio::test]
async fn a_log_directory_gets_a_file_per_function() {
    let dir = std::env::temp_dir().join(format!("local-cloud-logs-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&dir).unwrap();
    let lambda = lambda(|_| {}).with_log_dir(dir.clone());
    invoke(&lambda, json!({})).await.unwrap();
    eventually("the line", || logged(&lambda, "started") == 1).await;
    assert_eq!(std::fs::read_to_string(dir.join("f.log")).unwrap(), "started\n");
    lambda.shutdown().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_plan_kills_the_environment_of_its_stream_whoever_encoded_the_message() {
    let faults = Faults::default();
    let lambda = lambda(|config| config.concurrency = 2).with_faults(faults.clone());
    let order = |stream: &str| json!({"do": "hang", "stream": stream}).to_string();
    let encoded = json!({"isBase64Encoded": true, "body": BASE64_STANDARD.encode(order("s-1"))}).to_string();
    for payload in [order("s-1"), encoded] {
        let planned = faults.plan("s-1", Plan::default());
        let other = lambda.invoke("f", order("s-2").into());
        let one = lambda.invoke("f", payload.into());
        let tokens = async {
            eventually("two environments", || lambda.environments("f").len() == 2).await;
            // Until the invocation has been handed out, nobody listens.
            eventually("a death", || {
                planned.kill.notify_waiters();
                lambda.environments("f").len() == 1
            })
            .await;
        };
        tokio::select! {
            ((), ended) = async { tokio::join!(tokens, one) } => {
                assert!(matches!(ended, Err(InvokeError::Exited { .. })), "{ended:?}");
            }
            answer = other => panic!("the other stream: {answer:?}"),
        }
        let pids = lambda.environments("f");
        drop(Command::new("kill").args(["-9", &pids[0].to_string()]).status());
        eventually("the other's death", || lambda.environments("f").is_empty()).await;
    }
    lambda.shutdown().await;
}
