use probe::{Settings, sign_in};
use serde_json::json;

use crate::fakes::{self, answer};

#[tokio::test]
async fn sign_in_is_an_initiate_auth_call() {
    let body = json!({"AuthenticationResult": {"AccessToken": "a", "IdToken": "i", "RefreshToken": "r"}});
    let (url, served) =
        fakes::http(answer("200 OK", "application/x-amz-json-1.1", &body.to_string()), usize::MAX).await;
    let settings =
        Settings { user_pool_endpoint: url, user_pool_client_id: "c".into(), ..Settings::default() };
    let tokens = sign_in(&settings, "user", "password").await.expect("signed in");
    assert_eq!([tokens.access, tokens.id, tokens.refresh], ["a", "i", "r"]);
    let seen = served.await.expect("served");
    assert_eq!(
        seen.body,
        json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c",
        "AuthParameters": {"USERNAME": "user", "PASSWORD": "password"}})
    );
    for line in [
        "x-amz-target: awscognitoidentityproviderservice.initiateauth",
        "content-type: application/x-amz-json-1.1",
    ] {
        assert!(seen.head.lines().any(|header| header == line), "{line}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_pool_that_is_down_are_told_in_a_line() {
    let body = r#"{"__type":"NotAuthorizedException","message":"Incorrect username or password."}"#;
    let (url, _served) =
        fakes::http(answer("400 Bad Request", "application/x-amz-json-1.1", body), usize::MAX).await;
    let mut settings =
        Settings { user_pool_endpoint: url, user_pool_client_id: "c".into(), ..Settings::default() };
    let error = sign_in(&settings, "user", "wrong").await.expect_err("refused");
    assert_eq!(
        (error.to_string().as_str(), error.status()),
        ("sign-in refused (HTTP 400): NotAuthorizedException: Incorrect username or password.", Some(400))
    );
    settings.user_pool_client_id.clear();
    let error = sign_in(&settings, "user", "wrong").await.expect_err("refused").to_string();
    assert!(error.starts_with("VITE_USER_POOL_CLIENT_ID is not set"), "{error}");
}
