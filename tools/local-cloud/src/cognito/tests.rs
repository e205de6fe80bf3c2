use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    BigUint, RsaPublicKey,
    pkcs1v15::{Signature, VerifyingKey},
    sha2::Sha256,
    signature::Verifier,
};

use http::Method;

use super::*;
use crate::sigv4::testing::{Server, client, serve};

const ISSUER: &str = "http://127.0.0.1:4000/us-east-1_local0001";

fn pool() -> UserPool {
    let user = User {
        username: "testuser".to_owned(),
        email: "test@example.com".to_owned(),
        password: "TestPassword123!".to_owned(),
        sub: "2d0e9a1c-6b1f-4a7e-9d55-0b7f4f1d8a10".to_owned(),
    };
    UserPool::new("us-east-1", ISSUER, vec![user])
}

async fn call(server: &Server, operation: &str, body: &Value) -> (u16, Value) {
    let target = format!("AWSCognitoIdentityProviderService.{operation}");
    let request = client().post(format!("{}/", server.url)).header("x-amz-target", target);
    let response = request
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
    (response.status().as_u16(), response.json().await.unwrap())
}

fn sign_in(name: &str, password: &str) -> Value {
    json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": CLIENT_ID,
        "AuthParameters": {"USERNAME": name, "PASSWORD": password},
        "ClientMetadata": {},
    })
}

async fn tokens(server: &Server, name: &str) -> Value {
    let (status, mut answer) = call(server, "InitiateAuth", &sign_in(name, "TestPassword123!")).await;
    assert_eq!((status, &answer["ChallengeParameters"]), (200, &json!({})), "{answer}");
    answer["AuthenticationResult"].take()
}

fn part(token: &Value, index: usize) -> Value {
    let part = token.as_str().unwrap().split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn tokens_look_like_cognitos_and_verify_with_the_published_key() {
    let pool = pool();
    let server = serve(pool.router()).await;
    let tokens = tokens(&server, "testuser").await;
    assert_eq!(names(&tokens), ["AccessToken", "ExpiresIn", "IdToken", "RefreshToken", "TokenType"]);
    assert_eq!((&tokens["ExpiresIn"], &tokens["TokenType"]), (&3600.into(), &"Bearer".into()));

    let (access, id) = (part(&tokens["AccessToken"], 1), part(&tokens["IdToken"], 1));
    assert_eq!(
        names(&access),
        [
            "auth_time",
            "client_id",
            "event_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "origin_jti",
            "scope",
            "sub",
            "token_use",
            "username"
        ]
    );
    assert_eq!(
        names(&id),
        [
            "aud",
            "auth_time",
            "cognito:username",
            "email",
            "email_verified",
            "event_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "origin_jti",
            "sub",
            "token_use"
        ]
    );
    assert_eq!((&access["iss"], &access["token_use"]), (&ISSUER.into(), &"access".into()));
    assert_eq!((&access["client_id"], &id["aud"]), (&pool.client_id().into(), &pool.client_id().into()));
    assert_eq!(access["exp"].as_u64().unwrap() - access["iat"].as_u64().unwrap(), 3600);
    assert_eq!((&id["token_use"], &id["email_verified"]), (&"id".into(), &true.into()));
    assert_eq!(access["origin_jti"], id["origin_jti"]);
    assert_ne!(access["jti"], id["jti"]);

    let url = format!("{}/{}/.well-known/jwks.json", server.url, pool.pool_id());
    let jwks: Value = client().get(url).send().await.unwrap().json().await.unwrap();
    let jwk = &jwks["keys"][0];
    assert_eq!(names(jwk), ["alg", "e", "kid", "kty", "n", "use"]);
    let header = part(&tokens["AccessToken"], 0);
    assert_eq!(header, json!({"kid": jwk["kid"], "alg": "RS256"}));
    let number =
        |name: &str| BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap());
    let key = VerifyingKey::<Sha256>::new(RsaPublicKey::new(number("n"), number("e")).unwrap());
    let (signed, signature) = tokens["AccessToken"].as_str().unwrap().rsplit_once('.').unwrap();
    let signature = Signature::try_from(&*URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    key.verify(signed.as_bytes(), &signature).unwrap();
    assert!(pool.pool_id().contains('_') && pool.client_id().len() == 26);
}

#[tokio::test]
async fn an_email_signs_in_and_a_refresh_token_lasts_until_it_is_revoked() {
    let pool = pool();
    let server = serve(pool.router()).await;
    let (first, other) = (tokens(&server, "test@example.com").await, tokens(&server, "testuser").await);
    let user = json!({"AccessToken": first["AccessToken"]});
    let (_, attributes) = call(&server, "GetUser", &user).await;
    assert_eq!(attributes["Username"], "testuser");
    assert!(attributes["UserAttributes"].to_string().contains("test@example.com"));

    let refresh = json!({"ClientId": CLIENT_ID, "RefreshToken": first["RefreshToken"]});
    let classic = |flow: &str| {
        let parameters = json!({"REFRESH_TOKEN": first["RefreshToken"]});
        json!({"AuthFlow": flow, "ClientId": CLIENT_ID, "AuthParameters": parameters})
    };
    for (operation, body) in [
        ("GetTokensFromRefreshToken", &refresh),
        ("InitiateAuth", &classic("REFRESH_TOKEN_AUTH")),
        ("InitiateAuth", &classic("REFRESH_TOKEN")),
    ] {
        let (status, answer) = call(&server, operation, body).await;
        let result = &answer["AuthenticationResult"];
        assert_eq!((status, names(result)), (200, vec!["AccessToken", "ExpiresIn", "IdToken", "TokenType"]));
        let (new, old) = (part(&result["AccessToken"], 1), part(&first["AccessToken"], 1));
        assert_eq!((&new["origin_jti"], &new["auth_time"]), (&old["origin_jti"], &old["auth_time"]));
        assert_ne!(new["jti"], old["jti"]);
    }

    let revoke = |token: &Value| json!({"ClientId": CLIENT_ID, "Token": token});
    assert_eq!(call(&server, "RevokeToken", &revoke(&first["RefreshToken"])).await, (200, json!({})));
    assert_eq!(call(&server, "RevokeToken", &revoke(&"unknown".into())).await, (200, json!({})));
    let (_, answer) = call(&server, "RevokeToken", &revoke(&first["AccessToken"])).await;
    assert_eq!(answer["__type"], "UnsupportedTokenTypeException");
    for (operation, body, message) in [
        ("GetTokensFromRefreshToken", &refresh, "Refresh Token has been revoked"),
        ("GetUser", &user, "Access Token has been revoked"),
    ] {
        let (status, answer) = call(&server, operation, body).await;
        assert_eq!((status, answer), (400, json!({"__type": "NotAuthorizedException", "message": message})));
    }

    let user = json!({"AccessToken": other["AccessToken"]});
    assert_eq!(call(&server, "GlobalSignOut", &user).await, (200, json!({})));
    assert_eq!(call(&server, "GetUser", &user).await.0, 400);
    // Other services check the token alone, and it is still in date.
    assert!(pool.verify(other["AccessToken"].as_str().unwrap()).is_some());
}

#[tokio::test]
async fn wrong_requests_get_the_errors_of_cognito() {
    let pool = pool();
    let server = serve(pool.router()).await;
    let flow = |flow: &str, client: &str| json!({"AuthFlow": flow, "ClientId": client, "AuthParameters": {}});
    let refused = ("NotAuthorizedException", "Incorrect username or password.");
    let id_token = json!({"AccessToken": tokens(&server, "testuser").await["IdToken"]});
    let expired = pool.sign(&json!({"iss": ISSUER, "token_use": "access", "exp": 1, "username": "testuser"}));
    let cases = [
        ("InitiateAuth", sign_in("testuser", "wrong"), refused),
        ("InitiateAuth", sign_in("nobody", "TestPassword123!"), refused),
        (
            "InitiateAuth",
            flow("USER_SRP_AUTH", CLIENT_ID),
            ("InvalidParameterException", "USER_SRP_AUTH is not"),
        ),
        ("InitiateAuth", flow("USER_PASSWORD_AUTH", CLIENT_ID), ("InvalidParameterException", "USERNAME")),
        (
            "InitiateAuth",
            flow("USER_PASSWORD_AUTH", "x"),
            ("ResourceNotFoundException", "client x does not exist"),
        ),
        ("InitiateAuth", json!({"ClientId": 1}), ("SerializationException", "")),
        (
            "GetTokensFromRefreshToken",
            json!({"ClientId": CLIENT_ID, "RefreshToken": "x"}),
            ("NotAuthorizedException", "Invalid Refresh Token"),
        ),
        ("GetUser", json!({"AccessToken": "a.b.c"}), ("NotAuthorizedException", "Invalid Access Token")),
        ("GetUser", id_token, ("NotAuthorizedException", "Invalid Access Token")),
        ("GetUser", json!({"AccessToken": expired}), ("NotAuthorizedException", "Access Token has expired")),
        ("SignUp", json!({}), ("UnknownOperationException", "SignUp")),
    ];
    for (operation, body, (error, message)) in cases {
        let (status, answer) = call(&server, operation, &body).await;
        assert_eq!((status, answer["__type"].as_str()), (400, Some(error)), "{operation} {answer}");
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
}

#[tokio::test]
async fn a_browser_on_another_origin_may_call() {
    let server = serve(pool().router()).await;
    let response = client()
        .request(Method::OPTIONS, format!("{}/", server.url))
        .header("origin", "http://127.0.0.1:5173")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "cache-control,content-type,x-amz-target,x-amz-user-agent")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(
        header("access-control-allow-headers"),
        "cache-control,content-type,x-amz-target,x-amz-user-agent"
    );
    assert!(header("access-control-allow-methods").contains("POST"));
    assert!(header("access-control-expose-headers").contains("x-amzn-errortype"));
}

#[tokio::test]
async fn the_jwks_counts_goes_down_and_rotates() {
    let pool = pool();
    let server = serve(pool.router()).await;
    let url = format!("{}/{}/.well-known/jwks.json", server.url, pool.pool_id());
    let fetch = async || client().get(&url).send().await.unwrap();
    let old = pool.sign(&json!({"iss": ISSUER, "exp": u32::MAX}));
    assert!(pool.verify(&old).is_some());
    pool.rotate_key(true);
    let new = pool.sign(&json!({"iss": ISSUER, "exp": u32::MAX}));
    assert!(pool.verify(&old).is_some() && pool.verify(&new).is_some());
    assert_eq!(fetch().await.json::<Value>().await.unwrap()["keys"].as_array().unwrap().len(), 2);
    pool.rotate_key(false);
    assert!(pool.verify(&old).is_none() && pool.verify(&new).is_none());
    assert_eq!(fetch().await.json::<Value>().await.unwrap()["keys"].as_array().unwrap().len(), 1);
    pool.set_jwks_down(true);
    assert_eq!(fetch().await.status(), 503);
    pool.set_jwks_down(false);
    assert_eq!((fetch().await.status().as_u16(), pool.jwks_fetches()), (200, 4));
    let other = format!("{}/us-east-1_other/.well-known/jwks.json", server.url);
    assert_eq!((client().get(other).send().await.unwrap().status().as_u16(), pool.jwks_fetches()), (404, 4));
}

#[test]
fn a_token_of_another_issuer_key_or_time_does_not_verify() {
    let pool = pool();
    let good = json!({"iss": ISSUER, "exp": u32::MAX});
    let kid = pool.jwks()["keys"][0]["kid"].clone();
    assert!(pool.verify(&pool.sign(&good)).is_some());
    for token in [
        pool.sign(&json!({"iss": "http://127.0.0.1:4000/other", "exp": u32::MAX})),
        pool.sign(&json!({"iss": ISSUER, "exp": 1})),
        pool.sign(&json!({"iss": ISSUER})),
        pool.sign_with(&json!({"kid": kid, "alg": "none"}), &good),
        pool.sign_with(&json!({"kid": "other", "alg": "RS256"}), &good),
        pool.sign_with(&json!({"alg": "RS256"}), &good),
        pool.sign(&good) + "x",
        "a.b".to_owned(),
        String::new(),
    ] {
        assert!(pool.verify(&token).is_none());
    }
}
