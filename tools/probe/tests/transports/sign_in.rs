use probe::{Settings, sign_in};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, task::JoinHandle};

use crate::fakes::{self, Seen, answer};

/// A user pool that gives these answers, one a connection; what it was asked.
async fn pool(answers: Vec<(&'static str, Value)>) -> (Settings, JoinHandle<Vec<Seen>>) {
    let (listener, address) = fakes::listen().await;
    let served = tokio::spawn(async move {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut socket, seen) = fakes::receive(&listener).await;
            let answer = answer(status, "application/x-amz-json-1.1", &body.to_string());
            socket.write_all(answer.as_bytes()).await.expect("the client reads");
            asked.push(seen);
        }
        asked
    });
    let settings = Settings {
        user_pool_endpoint: format!("http://{address}/"),
        user_pool_id: "us-east-1_Name".into(),
        user_pool_client_id: "c".into(),
        ..Settings::default()
    };
    (settings, served)
}

fn signed_in() -> Value {
    json!({"AuthenticationResult": {"AccessToken": "a", "IdToken": "i", "RefreshToken": "r"}})
}

fn challenge() -> Value {
    json!({"ChallengeName": "PASSWORD_VERIFIER", "Session": "s", "ChallengeParameters": {
        "USER_ID_FOR_SRP": "id", "USERNAME": "id", "SALT": "5a17", "SRP_B": "3b", "SECRET_BLOCK": "c2VjcmV0"}})
}

fn assert_calls(seen: &Seen, action: &str) {
    let target = format!("x-amz-target: awscognitoidentityproviderservice.{action}");
    for line in [target.as_str(), "content-type: application/x-amz-json-1.1"] {
        assert!(seen.head.lines().any(|header| header == line), "{line}");
    }
}

#[tokio::test]
async fn the_password_flow_is_an_initiate_auth_call() {
    let (mut settings, served) = pool(vec![("200 OK", signed_in())]).await;
    settings.auth_flow = "USER_PASSWORD_AUTH".into();
    settings.user_pool_id.clear();
    let tokens = sign_in(&settings, "user", "password").await.expect("signed in");
    assert_eq!([tokens.access, tokens.id, tokens.refresh], ["a", "i", "r"]);
    let asked = served.await.expect("served");
    assert_eq!(
        asked[0].body,
        json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c",
        "AuthParameters": {"USERNAME": "user", "PASSWORD": "password"}})
    );
    assert_calls(&asked[0], "initiateauth");
}

#[tokio::test]
async fn srp_is_the_default_and_answers_the_challenge_without_the_password() {
    for flow in ["", "USER_SRP_AUTH"] {
        let (mut settings, served) = pool(vec![("200 OK", challenge()), ("200 OK", signed_in())]).await;
        settings.auth_flow = flow.into();
        let tokens = sign_in(&settings, "user@example.com", "Password1!").await.expect("signed in");
        assert_eq!([tokens.access, tokens.id, tokens.refresh], ["a", "i", "r"]);
        let asked = served.await.expect("served");
        assert!(!asked.iter().any(|seen| seen.body.to_string().contains("Password1!")));

        assert_calls(&asked[0], "initiateauth");
        let mut first = asked[0].body.clone();
        let public = first["AuthParameters"]["SRP_A"].take();
        let public = public.as_str().expect("text");
        assert!(public.len() > 700 && public.bytes().all(|digit| digit.is_ascii_hexdigit()), "{public}");
        assert_eq!(
            first,
            json!({"AuthFlow": "USER_SRP_AUTH", "ClientId": "c",
            "AuthParameters": {"USERNAME": "user@example.com", "SRP_A": null}})
        );

        assert_calls(&asked[1], "respondtoauthchallenge");
        let mut second = asked[1].body.clone();
        let responses = &mut second["ChallengeResponses"];
        let signature = responses["PASSWORD_CLAIM_SIGNATURE"].take();
        assert_eq!(signature.as_str().map(str::len), Some(44), "256 bits in Base64");
        let timestamp = responses["TIMESTAMP"].take();
        assert!(timestamp.as_str().is_some_and(|time| time.contains(" UTC ")), "{timestamp}");
        assert_eq!(
            second,
            json!({"ChallengeName": "PASSWORD_VERIFIER", "ClientId": "c", "Session": "s", "ChallengeResponses": {
                "USERNAME": "id", "PASSWORD_CLAIM_SECRET_BLOCK": "c2VjcmV0", "PASSWORD_CLAIM_SIGNATURE": null,
                "TIMESTAMP": null}})
        );
    }
}

#[tokio::test]
async fn each_step_of_srp_can_be_refused() {
    let unknown = json!({"__type": "UserNotFoundException", "message": "User does not exist."});
    let wrong = json!({"__type": "NotAuthorizedException", "message": "Incorrect username or password."});
    let mut incomplete = challenge();
    incomplete["ChallengeParameters"]["SRP_B"].take();
    let new_password = json!({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s"});
    for (answers, complaint) in [
        (
            vec![("400 Bad Request", unknown)],
            "sign-in refused (HTTP 400): UserNotFoundException: User does not exist.",
        ),
        (
            vec![("200 OK", challenge()), ("400 Bad Request", wrong)],
            "sign-in refused (HTTP 400): NotAuthorizedException: Incorrect username or password.",
        ),
        (
            vec![("200 OK", json!({"ChallengeName": "SELECT_CHALLENGE"}))],
            "sign-in refused: the user pool asks for SELECT_CHALLENGE first",
        ),
        (
            vec![("200 OK", challenge()), ("200 OK", new_password)],
            "sign-in refused: the user pool asks for NEW_PASSWORD_REQUIRED first",
        ),
        (vec![("200 OK", incomplete)], "the user pool's challenge is wrong: it has no SRP_B"),
    ] {
        let (settings, _served) = pool(answers).await;
        let error = sign_in(&settings, "user", "password").await.expect_err("refused");
        assert_eq!(error.to_string(), complaint);
    }
}

#[tokio::test]
async fn a_setting_that_sign_in_cannot_use_is_named() {
    let unset = "is not set: run `make local`, or set it in frontend/.env or the environment";
    for (id, client, flow, complaint) in [
        ("us-east-1_Name", "", "", format!("VITE_USER_POOL_CLIENT_ID {unset}")),
        ("", "c", "", format!("VITE_USER_POOL_ID (which USER_SRP_AUTH needs) {unset}")),
        ("us-east-1", "c", "", "VITE_USER_POOL_ID is us-east-1: it can be a region, `_` and a name".into()),
        ("a_", "c", "USER_SRP_AUTH", "VITE_USER_POOL_ID is a_: it can be a region, `_` and a name".into()),
        (
            "us-east-1_Name",
            "c",
            "CUSTOM_AUTH",
            "VITE_AUTH_FLOW is CUSTOM_AUTH: it can be USER_SRP_AUTH or USER_PASSWORD_AUTH".into(),
        ),
    ] {
        let settings = Settings {
            user_pool_endpoint: "http://127.0.0.1:9/".into(),
            user_pool_id: id.into(),
            user_pool_client_id: client.into(),
            auth_flow: flow.into(),
            ..Settings::default()
        };
        let error = sign_in(&settings, "user", "password").await.expect_err("refused");
        assert_eq!(error.to_string(), complaint);
    }
}
