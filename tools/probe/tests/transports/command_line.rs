use std::process::{Command, Output};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, task::spawn_blocking};

use crate::fakes::{self, answer, event, sse};

/// Runs the binary with these arguments and this environment, and no other.
async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe"));
    command.args(arguments).env_clear().envs(environment.iter().copied()).current_dir(std::env::temp_dir());
    let Output { status, stdout, stderr } =
        spawn_blocking(move || command.output()).await.expect("joined").expect("ran");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

/// Answers one request over the Function URL: with an answer of two words, or with an error after the first.
async fn function_url(complete: bool) -> String {
    let (listener, address) = fakes::listen().await;
    tokio::spawn(async move {
        let (mut socket, seen) = fakes::receive(&listener).await;
        let id = seen.body["stream_id"].as_str().expect("an id");
        let mut events = vec![
            event(id, 0, None),
            event(id, 1, Some("two ")),
            event(id, 2, Some("words")),
            event(id, 3, None),
        ];
        events.truncate(if complete { 4 } else { 2 });
        let body = sse(&events);
        socket
            .write_all(answer("200 OK", "text/event-stream", &body).as_bytes())
            .await
            .expect("the client reads");
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn text_and_table_or_json_without_text() {
    for (options, complete, code, wanted, unwanted) in [
        (&[][..], true, 0, &["two words\n\n", "architecture ", "done: end_turn"][..], &["{"][..]),
        (&["--quiet"], true, 0, &["function-url "], &["two words"]),
        (&["--race"], true, 0, &["function-url "], &["two words"]),
        (&["--quiet"], false, 1, &["failed: the stream ended without a terminal event"], &[]),
        (
            &["--json"],
            true,
            0,
            &["\"outcome\": \"done\"", "\"output_tokens\": 7"],
            &["two words", "architecture "],
        ),
        (&["--json", "--json-text"], true, 0, &["\"text\": \"two words\""], &["architecture "]),
        (&["--json"], false, 1, &["\"outcome\": \"failed\""], &["\"two \""]),
    ] {
        let url = function_url(complete).await;
        let arguments = [&["hi", "--via", "function-url", "--token", "t"], options].concat();
        let (status, stdout, _) = run(&arguments, &[("VITE_FUNCTION_URL", &url)]).await;
        assert_eq!(status, Some(code), "{options:?}: {stdout}");
        assert!(wanted.iter().all(|text| stdout.contains(text)), "{options:?}: {stdout}");
        assert!(!unwanted.iter().any(|text| stdout.contains(text)), "{options:?}: {stdout}");
        if options.contains(&"--json") {
            let document: Value = serde_json::from_str(&stdout).expect("one document");
            assert_eq!(document["results"][0]["architecture"], "function-url");
        }
    }
}

#[tokio::test]
async fn all_means_all_that_the_deployment_has() {
    let url = function_url(true).await;
    let environment = [("VITE_FUNCTION_URL", url.as_str()), ("VITE_WEBSOCKET_URL", "")];
    let (status, stdout, stderr) = run(&["hi", "--token", "t", "--quiet"], &environment).await;
    assert_eq!(status, Some(0), "{stdout}");
    assert!(stdout.contains("function-url ") && !stdout.contains("appsync"), "{stdout}");
    assert_eq!(
        stderr.lines().collect::<Vec<_>>(),
        [
            "probe: websocket-api is left out: its URL is not set",
            "probe: appsync is left out: its URL is not set"
        ]
    );

    for (via, wanted) in
        [("appsync", "VITE_GRAPHQL_REALTIME_URL is not set"), ("all", "VITE_GRAPHQL_URL is not set")]
    {
        let half_set = [("VITE_GRAPHQL_REALTIME_URL", if via == "all" { "ws://127.0.0.1:9/" } else { "" })];
        let (status, stdout, _) = run(&["hi", "--token", "t", "--via", via], &half_set).await;
        assert_eq!(status, Some(1), "{stdout}");
        assert!(stdout.contains(wanted), "{stdout}");
    }
}

#[tokio::test]
async fn complaints_are_one_line() {
    let pool = |url| {
        [
            ("VITE_USER_POOL_ENDPOINT", url),
            ("VITE_USER_POOL_ID", "us-east-1_Name"),
            ("VITE_USER_POOL_CLIENT_ID", "c"),
            ("PROBE_USER", "someone"),
        ]
    };
    let (listener, address) = fakes::listen().await;
    drop(listener);
    let closed = format!("http://{address}");
    for (arguments, environment, complaint) in [
        (
            &["hi"][..],
            &[][..],
            "probe: no architecture is configured: run `make local`, or set VITE_FUNCTION_URL, ",
        ),
        (&["hi", "--via", "appsync"], &[], "probe: VITE_AWS_REGION is not set: run `make local`, or set it"),
        (
            &["hi", "--via", "appsync"],
            &pool("https://cognito-idp.example.com"),
            "probe: --password (or PROBE_PASSWORD) is needed to sign in",
        ),
        (&["hi", "--via", "appsync"], &pool(&closed), "probe: cannot reach http://127.0.0.1:"),
        (&["hi", "--env-file", "does-not-exist"], &[], "probe: cannot read does-not-exist: "),
    ] {
        let (status, stdout, stderr) = run(arguments, environment).await;
        assert_eq!((status, stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
        assert!(stderr.starts_with(complaint), "{stderr}");
    }
    assert_eq!(run(&["hi", "--via", "pigeon"], &[]).await.0, Some(2));
}

#[tokio::test]
async fn an_answer_is_stopped_and_its_rest_is_followed() {
    let (listener, address) = fakes::listen().await;
    let url = format!("http://{address}/");
    // The stream, whose beginning is told, and the request to stop it, after which it ends.
    let serving = tokio::spawn(async move {
        let (mut stream, asked) = fakes::receive(&listener).await;
        let id = asked.body["stream_id"].as_str().expect("an id").to_owned();
        let begun = sse(&[event(&id, 0, None), event(&id, 1, Some("two"))]);
        stream
            .write_all(answer("200 OK", "text/event-stream", &begun).as_bytes())
            .await
            .expect("the client reads");
        let (mut stop, stopped) = fakes::receive(&listener).await;
        stop.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("the client reads");
        stream.write_all(sse(&[event(&id, 2, None)]).as_bytes()).await.expect("the client reads");
        (id, stopped.head)
    });
    let arguments = ["hi", "--via", "function-url", "--token", "t", "--json", "--stop-after", "0.1"];
    let (status, stdout, _) = run(&arguments, &[("VITE_FUNCTION_URL", &url)]).await;
    let (id, stopped) = serving.await.expect("served");
    assert_eq!(status, Some(0), "{stdout}");
    assert!(stopped.starts_with(&format!("delete /streams/{id} ")), "{stopped}");
    let document: Value = serde_json::from_str(&stdout).expect("one document");
    assert_eq!(document["results"][0]["stream_id"], id.as_str());
    assert!(document["results"][0]["stop_ms"].is_f64(), "{stdout}");

    let (url, served) =
        fakes::http(answer("200 OK", "text/event-stream", &sse(&[event(&id, 5, None)])), 7).await;
    let arguments = ["--via", "function-url", "--token", "t", "--resume", &id, "--after", "4"];
    let (status, stdout, _) = run(&arguments, &[("VITE_FUNCTION_URL", &url)]).await;
    assert_eq!(status, Some(0), "{stdout}");
    assert!(served.await.expect("served").head.starts_with(&format!("get /streams/{id}?after=4 ")));

    for arguments in [&["hi", "--resume", &id][..], &["--after", "4"], &["hi", "--stop-after", "soon"]] {
        assert_eq!(run(arguments, &[]).await.0, Some(2), "{arguments:?}");
    }
}
