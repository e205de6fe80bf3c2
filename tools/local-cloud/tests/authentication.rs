//! Who is let in, on every front door: nobody without a good access token, and nobody to another's answer.

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use local_cloud::cognito::UserPool;
use probe::{
    Architecture, Outcome, Request,
    appsync::{self, Realtime},
    function_url,
    websocket_api::Connection,
};
use serde_json::{Value, json};
use support::{PATIENCE, Stage, other_user, paced, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_ours_gets_nothing_anywhere_and_costs_nothing() {
    let stage = Stage::open().await;
    let tokens = probe::sign_in(&stage.settings, "testuser", "TestPassword123!").await.expect("signed in");
    let pool = &stage.cloud.user_pool;
    let good = stage.claims();
    let spoiled = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        pool.sign(&claims)
    };
    let issuer = good["iss"].as_str().expect("iss").to_owned();
    let stranger = UserPool::new("us-east-1", &issuer, vec![]);
    let without_signature = tokens.access.rsplit_once('.').expect("a JWT").0.to_owned() + ".";
    let kid = json!({"alg": "none", "kid": "x"});
    for (why, token) in [
        ("not a token", "garbage".to_owned()),
        ("no signature", without_signature),
        ("another algorithm", pool.sign_with(&kid, &good)),
        ("signed by a stranger", stranger.sign(&good)),
        ("an id token", tokens.id.clone()),
        ("expired", spoiled("exp", json!(now() - 60))),
        ("not valid yet", spoiled("nbf", json!(now() + 600))),
        (
            "of another pool",
            spoiled("iss", json!("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other")),
        ),
        ("of another app client", spoiled("client_id", json!("another"))),
        ("of no user", spoiled("sub", json!(""))),
    ] {
        for architecture in Architecture::ALL {
            // AppSync ignores `nbf`, and so does its stand-in.
            if architecture == Architecture::Appsync && why == "not valid yet" {
                continue;
            }
            let trace =
                probe::stream(&stage.settings, architecture, &token, &Request::prompt("let me in"), |_| {})
                    .await;
            assert!(!matches!(trace.outcome(), Outcome::Done { .. }), "{architecture}: {why}");
            assert!(trace.text().is_empty(), "{architecture}: {why}");
            match architecture {
                Architecture::FunctionUrl => {
                    assert_eq!(trace.http_status, Some(401), "{why}");
                    assert!(matches!(trace.outcome(), Outcome::Error { code: "unauthorized", .. }), "{why}");
                }
                Architecture::WebsocketApi => assert_eq!(trace.http_status, Some(403), "{why}"),
                Architecture::Appsync => {}
            }
        }
    }
    assert!(stage.cloud.bedrock.calls().is_empty(), "the model was asked");
    assert!(stage.cloud.queues.messages("tristream-prompts").is_empty(), "something was queued");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_at_all_is_refused_in_each_transports_own_way() {
    let stage = Stage::open().await;
    let json_type = ("content-type", "application/json");
    let body = r#"{"prompt":"let me in"}"#;
    let answer = function_url::post(&stage.settings, &[json_type], body).await.expect("an answer");
    assert_eq!(
        (answer.status, &answer.headers["www-authenticate"]),
        (401, &"Bearer".parse().expect("a header"))
    );
    let basic = ("authorization", "Basic dGVzdDp0ZXN0");
    let answer = function_url::post(&stage.settings, &[json_type, basic], body).await.expect("an answer");
    assert_eq!(answer.status, 401);
    // API Gateway refuses a missing identity source without asking the authorizer.
    let refused = Connection::open_with(&stage.settings, &[]).await.err().expect("refused");
    assert_eq!(refused.status, Some(401));
    let refused = Connection::open_with(&stage.settings, &["llm-stream.v1"]).await.err().expect("refused");
    assert_eq!(refused.status, Some(403));
    let wrong_version = ["llm-stream.v2", &format!("bearer.{}", stage.token)];
    let refused = Connection::open_with(&stage.settings, &wrong_version).await.err().expect("refused");
    assert_eq!(refused.status, Some(400));
    assert!(stage.cloud.bedrock.calls().is_empty());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_knows_anothers_session_id_hears_nothing() {
    let stage = Stage::open().await;
    stage.cloud.bedrock.script(paced(&["for", " one", " only"], Duration::from_millis(10)));
    let other = sign_in(&stage.settings, &other_user()).await;
    let secret = Request::prompt("mine");
    let own = Request::prompt("his own");
    let mut eavesdropper = Realtime::connect(&stage.settings, &other).await.expect("a connection");
    let foreign_subscription = eavesdropper.subscribe(&secret.stream_id).await.expect("a subscription");
    let own_subscription = eavesdropper.subscribe(&own.stream_id).await.expect("a subscription");

    let heard = stage.send(Architecture::Appsync, &secret).await;
    assert_eq!(heard.text(), "for one only");
    // Messages of a socket come in order: had the secret been sent here, it would come before this.
    let started =
        appsync::mutate(&stage.settings, &other, appsync::START_STREAM, appsync::variables(&own)).await;
    assert_eq!(started.expect("an answer")["data"]["startStream"]["sessionId"], json!(own.stream_id));
    loop {
        match eavesdropper.next(PATIENCE).await.expect("a message").expect("an open connection") {
            appsync::Message::Data { id, payload, .. } => {
                assert_ne!(id, foreign_subscription, "{payload}");
                assert_eq!(id, own_subscription);
                assert_eq!(payload["data"]["onTokenReceived"]["owner"], json!(other_user().sub));
                if payload["data"]["onTokenReceived"]["type"] == "DONE" {
                    break;
                }
            }
            unexpected => panic!("{unexpected:?}"),
        }
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_cannot_publish_and_cannot_start_in_anothers_name() {
    let stage = Stage::open().await;
    let publish = "mutation ($event: StreamEventInput!) { publishToken(event: $event) { sessionId } }";
    let event =
        json!({"sessionId": "x", "owner": other_user().sub, "type": "DELTA", "seq": 1, "text": "forged"});
    let answer = appsync::mutate(&stage.settings, &stage.token, publish, json!({"event": event})).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer["errors"][0]["errorType"], "Unauthorized", "{answer}");
    assert_eq!(stage.cloud.appsync.publishes(), 0);

    let smuggle =
        "mutation { startStream(sessionId: \"x\", prompt: \"p\", owner: \"somebody\") { sessionId } }";
    let answer = appsync::mutate(&stage.settings, &stage.token, smuggle, json!({})).await.expect("an answer");
    assert!(answer["errors"][0].is_object(), "{answer}");
    assert!(stage.cloud.bedrock.calls().is_empty());
    stage.close().await;
}

/// API Gateway asks the authorizer once; the token goes on ageing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expired_on_a_live_socket_is_refused_at_the_next_message() {
    let stage = Stage::open().await;
    let mut claims = stage.claims();
    // Within the leeway for clocks that differ, which connecting has and a message has not.
    claims["exp"] = json!(now() - 2);
    let token = stage.cloud.user_pool.sign(&claims);
    let mut connection = Connection::open(&stage.settings, &token).await.expect("a connection");
    let request = Request::prompt("still me?");
    let mut message = request.body.clone();
    message["action"] = "stream".into();
    connection.send_text(message.to_string()).await.expect("sent");
    let received = connection.next_event(PATIENCE).await.expect("an event").expect("an open connection");
    assert_eq!(received.event["code"], "unauthorized", "{}", received.event);
    assert_eq!(received.event["stream_id"], json!(request.stream_id));
    assert!(stage.cloud.bedrock.calls().is_empty());
    connection.close().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_keys_out_of_reach_nobody_is_let_in_and_nobody_is_called_a_liar() {
    let stage = Stage::open().await;
    stage.cloud.user_pool.set_jwks_down(true);
    let request = Request::prompt("anyone there?");
    let trace = stage.send(Architecture::FunctionUrl, &request).await;
    assert_eq!(trace.http_status, Some(503));
    let trace = stage.send(Architecture::WebsocketApi, &request).await;
    assert_eq!(trace.http_status, Some(500), "an error of the authorizer, not a denial");
    stage.cloud.user_pool.set_jwks_down(false);
    support::eventually("the keys to be fetched again", async || {
        let trace =
            stage.send(Architecture::FunctionUrl, &Request::prompt("now?").with("max_tokens", 1)).await;
        (trace.http_status == Some(200)).then_some(())
    })
    .await;
    // The environment that has the keys needs no pool any more.
    stage.cloud.user_pool.set_jwks_down(true);
    let trace = stage.send(Architecture::FunctionUrl, &Request::prompt("again").with("max_tokens", 1)).await;
    assert_eq!(trace.http_status, Some(200));
    stage.close().await;
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
