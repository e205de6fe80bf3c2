use serde_json::{Value, json};

use crate::pool::*;

async fn check<const N: usize>(cases: [(&str, Value, &str); N]) {
    check_all(cases.map(|(name, changes, expected)| (name, with_claims(changes), expected))).await;
}

#[tokio::test]
async fn a_good_token_names_its_bearer() {
    let caller = FakePool::new().verifier().verify(&good_token()).await.unwrap();
    assert_eq!(caller.sub(), "11111111-2222-3333-4444-555555555555");
    assert!(caller.expires_at().unwrap() >= unix_now() + 3599);
}

#[tokio::test]
async fn good_tokens_differ_in_what_does_not_matter() {
    check([
        ("as Cognito writes it", json!({}), "accepted"),
        ("with groups", json!({"cognito:groups": ["a", "b"]}), "accepted"),
        ("with a claim of ours", json!({"custom": {"deep": [1, 2, {"er": null}]}}), "accepted"),
        ("with a `nbf` that has passed", json!({"nbf": 1}), "accepted"),
        ("without `iat`, which decides nothing", json!({"iat": null}), "accepted"),
        ("with an audience, which access tokens have none of", json!({"aud": "x"}), "accepted"),
        ("with no scope", json!({"scope": null}), "accepted"),
    ])
    .await;
}

#[tokio::test]
async fn a_time_must_be_a_whole_number_of_seconds() {
    let now = unix_now();
    check([
        ("exp as a string", json!({"exp": (now + 60).to_string()}), "Malformed"),
        ("exp as a float", json!({"exp": 4_000_000_000.5}), "Malformed"),
        ("exp as a float without fraction", json!({"exp": 4_000_000_000.0}), "Malformed"),
        ("exp negative", json!({"exp": -1}), "Malformed"),
        ("exp zero", json!({"exp": 0}), "Expired"),
        ("exp missing", json!({"exp": null}), "Malformed"),
        ("exp an array", json!({"exp": [now + 60]}), "Malformed"),
        ("exp 2^63, far away and not wrapped into the past", json!({"exp": 1_u64 << 63}), "accepted"),
        ("exp 2^64 - 1", json!({"exp": u64::MAX}), "accepted"),
        ("nbf as a string", json!({"nbf": (now - 60).to_string()}), "Malformed"),
        ("nbf as a float", json!({"nbf": 1.5}), "Malformed"),
        ("nbf negative", json!({"nbf": -1}), "Malformed"),
        ("nbf 2^63, not wrapped into the past", json!({"nbf": 1_u64 << 63}), "NotYetValid"),
        ("iat as a string", json!({"iat": now.to_string()}), "Malformed"),
        ("iat as a float", json!({"iat": 1.5}), "Malformed"),
        ("iat negative", json!({"iat": -1}), "Malformed"),
        ("iat 2^63, which decides nothing", json!({"iat": 1_u64 << 63}), "accepted"),
    ])
    .await;
}

#[tokio::test]
async fn a_null_is_no_time() {
    for (name, expected) in [("exp", "Malformed"), ("nbf", "Malformed"), ("iat", "accepted")] {
        let mut claims = claims();
        claims[name] = Value::Null;
        let token = signed(header_with(json!({})).to_string(), claims.to_string());
        check_all([(name, token, expected)]).await;
    }
}

#[tokio::test]
async fn clocks_may_differ_by_five_seconds_and_no_more() {
    // Judged within the second in which it was written, or the limit would be another.
    for (name, offset, expected) in [
        ("exp", -4, "accepted"),
        ("exp", -5, "accepted"),
        ("exp", -6, "Expired"),
        ("nbf", 4, "accepted"),
        ("nbf", 5, "accepted"),
        ("nbf", 6, "NotYetValid"),
    ] {
        let verifier = FakePool::new().verifier();
        loop {
            let now = unix_now();
            let token = with_claims(json!({ name: now.checked_add_signed(offset) }));
            let verdict = verdict(&verifier.verify(&token).await);
            if unix_now() == now {
                assert_eq!(verdict, expected, "{name} {offset:+} s");
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_issuer_must_be_the_pool_to_the_letter() {
    check([
        ("missing", json!({"iss": null}), "Malformed"),
        ("a number", json!({"iss": 1}), "Malformed"),
        ("an array that holds the pool", json!({"iss": [ISSUER]}), "Malformed"),
        ("an array that holds it among others", json!({"iss": ["x", ISSUER]}), "Malformed"),
        ("an object", json!({"iss": {"0": ISSUER}}), "Malformed"),
        ("empty", json!({"iss": ""}), "WrongIssuer"),
        ("a slash at the end", json!({"iss": format!("{ISSUER}/")}), "WrongIssuer"),
        ("a longer name", json!({"iss": format!("{ISSUER}2")}), "WrongIssuer"),
        ("a shorter name", json!({"iss": &ISSUER[..ISSUER.len() - 1]}), "WrongIssuer"),
        ("other case", json!({"iss": ISSUER.to_uppercase()}), "WrongIssuer"),
        ("plain http", json!({"iss": ISSUER.replace("https", "http")}), "WrongIssuer"),
        ("another pool", json!({"iss": ISSUER.replace("Example", "Other")}), "WrongIssuer"),
        ("another region", json!({"iss": ISSUER.replace("eu-central-1", "us-east-1")}), "WrongIssuer"),
    ])
    .await;
}

#[tokio::test]
async fn the_token_must_be_an_access_token_of_our_app_client() {
    check([
        ("client_id missing", json!({"client_id": null}), "WrongClient"),
        ("client_id of another client", json!({"client_id": "other"}), "WrongClient"),
        ("client_id longer", json!({"client_id": format!("{CLIENT}x")}), "WrongClient"),
        ("client_id empty", json!({"client_id": ""}), "WrongClient"),
        ("client_id an array", json!({"client_id": [CLIENT]}), "Malformed"),
        ("client_id a number", json!({"client_id": 4}), "Malformed"),
        ("ours as the audience only", json!({"client_id": null, "aud": CLIENT}), "WrongClient"),
        ("token_use id", json!({"token_use": "id"}), "NotAnAccessToken"),
        (
            "an id token, which has an audience and no client_id",
            json!({"token_use": "id", "client_id": null, "aud": CLIENT}),
            "NotAnAccessToken",
        ),
        ("token_use refresh", json!({"token_use": "refresh"}), "NotAnAccessToken"),
        ("token_use in capitals", json!({"token_use": "ACCESS"}), "NotAnAccessToken"),
        ("token_use missing", json!({"token_use": null}), "Malformed"),
        ("token_use a number", json!({"token_use": 1}), "Malformed"),
        ("token_use an array", json!({"token_use": ["access"]}), "Malformed"),
        ("sub missing", json!({"sub": null}), "Malformed"),
        ("sub empty", json!({"sub": ""}), "Malformed"),
        ("sub a number", json!({"sub": 7}), "Malformed"),
        ("sub an array", json!({"sub": ["a"]}), "Malformed"),
    ])
    .await;
}

#[tokio::test]
async fn a_claim_that_comes_twice_is_refused_whichever_is_right() {
    let good = claims().to_string();
    for (name, twice) in [
        ("sub", json!("somebody-else")),
        ("iss", json!("https://evil.example")),
        ("client_id", json!("other")),
        ("token_use", json!("id")),
        ("exp", json!(1)),
        ("iat", json!(1)),
        ("exp", claims()["exp"].clone()),
    ] {
        let member = format!("\"{name}\":{twice}");
        let first = format!("{{{member},{}", &good[1..]);
        let last = format!("{},{member}}}", &good[..good.len() - 1]);
        for claims in [first, last] {
            let token = signed(header_with(json!({})).to_string(), &claims);
            check_all([(claims.as_str(), token, "Malformed")]).await;
        }
    }
}
