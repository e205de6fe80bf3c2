use serde_json::{Value, json};

use crate::pool::*;

async fn check<const N: usize>(cases: [(&str, Value, &str); N]) {
    check_all(cases.map(|(name, changes, expected)| (name, with_header(changes), expected))).await;
}

#[tokio::test]
async fn the_algorithm_is_rs256_whatever_the_signature() {
    check([
        ("with a type", json!({"typ": "JWT"}), "accepted"),
        ("none", json!({"alg": "none"}), "Malformed"),
        ("None", json!({"alg": "None"}), "Malformed"),
        ("NONE", json!({"alg": "NONE"}), "Malformed"),
        ("nOnE", json!({"alg": "nOnE"}), "Malformed"),
        ("empty", json!({"alg": ""}), "Malformed"),
        ("missing", json!({"alg": null}), "Malformed"),
        ("a number", json!({"alg": 256}), "Malformed"),
        ("an array", json!({"alg": ["RS256"]}), "Malformed"),
        ("small letters", json!({"alg": "rs256"}), "Malformed"),
        ("a space behind", json!({"alg": "RS256 "}), "Malformed"),
        ("RS384", json!({"alg": "RS384"}), "WrongAlgorithm"),
        ("RS512", json!({"alg": "RS512"}), "WrongAlgorithm"),
        ("PS256", json!({"alg": "PS256"}), "WrongAlgorithm"),
        ("ES256", json!({"alg": "ES256"}), "WrongAlgorithm"),
        ("EdDSA", json!({"alg": "EdDSA"}), "WrongAlgorithm"),
        ("HS256", json!({"alg": "HS256"}), "WrongAlgorithm"),
        ("HS512", json!({"alg": "HS512"}), "WrongAlgorithm"),
    ])
    .await;
}

#[tokio::test]
async fn the_key_is_one_that_the_pool_has_published() {
    check([
        ("missing", json!({"kid": null}), "UnknownKey"),
        ("empty", json!({"kid": ""}), "UnknownKey"),
        ("unknown", json!({"kid": "pool-key-2"}), "UnknownKey"),
        ("other case", json!({"kid": KID.to_uppercase()}), "UnknownKey"),
        ("longer", json!({"kid": format!("{KID} ")}), "UnknownKey"),
        ("a NUL behind", json!({"kid": format!("{KID}\0")}), "UnknownKey"),
        ("a path to a file", json!({"kid": "../../../../dev/null"}), "UnknownKey"),
        ("a path behind the name", json!({"kid": format!("{KID}/../{KID}")}), "UnknownKey"),
        ("SQL", json!({"kid": "x' OR '1'='1"}), "UnknownKey"),
        ("a URL", json!({"kid": "https://evil.example/keys"}), "UnknownKey"),
        ("a number", json!({"kid": 1}), "Malformed"),
        ("an array", json!({"kid": [KID]}), "Malformed"),
        ("an object", json!({"kid": {"kid": KID}}), "Malformed"),
        ("64 KiB", json!({"kid": "k".repeat(64 * 1024)}), "TooLong"),
    ])
    .await;
}

#[tokio::test]
async fn keys_for_other_purposes_verify_nothing() {
    let with = |name: &str, change: Value| {
        let mut key = jwk(name, &POOL_KEY);
        for (member, value) in change.as_object().unwrap() {
            key[member] = value.clone();
        }
        key
    };
    let pool = FakePool::new();
    pool.publishes(jwks(&[
        jwk(KID, &POOL_KEY),
        with("encrypts", json!({"use": "enc"})),
        with("other-alg", json!({"alg": "RS512"})),
        with("other-kty", json!({"kty": "EC"})),
        with("symmetric", json!({"kty": "oct", "k": "AAAA"})),
        with("no-modulus", json!({"n": null})),
        with("not-base64", json!({"n": "!!"})),
        with("plain", json!({"use": null, "alg": null})),
        json!({"kty": "RSA"}),
    ]));
    let verifier = pool.verifier();
    for (kid, expected) in [
        (KID, "accepted"),
        ("plain", "accepted"),
        ("encrypts", "UnknownKey"),
        ("other-alg", "UnknownKey"),
        ("other-kty", "UnknownKey"),
        ("symmetric", "UnknownKey"),
        ("no-modulus", "UnknownKey"),
        ("not-base64", "UnknownKey"),
    ] {
        let token = with_header(json!({ "kid": kid }));
        assert_eq!(verdict(&verifier.verify(&token).await), expected, "{kid}");
    }
}

#[tokio::test]
async fn a_header_brings_neither_key_nor_rules() {
    let evil = "https://evil.example/keys";
    check([
        ("jku", json!({"jku": evil}), "SuspiciousHeader"),
        ("x5u", json!({"x5u": evil}), "SuspiciousHeader"),
        ("x5c", json!({"x5c": ["MIIB"]}), "SuspiciousHeader"),
        ("x5c empty", json!({"x5c": []}), "SuspiciousHeader"),
        ("jwk that is the attacker's", json!({"jwk": jwk(KID, &OTHER_KEY)}), "SuspiciousHeader"),
        ("jwk that is ours", json!({"jwk": jwk(KID, &POOL_KEY)}), "SuspiciousHeader"),
        ("jwk that is empty", json!({"jwk": {}}), "SuspiciousHeader"),
        ("crit", json!({"crit": ["exp"]}), "SuspiciousHeader"),
        ("crit empty", json!({"crit": []}), "SuspiciousHeader"),
        ("crit no array", json!({"crit": "exp"}), "Malformed"),
        ("b64 off", json!({"b64": false}), "SuspiciousHeader"),
        ("b64 on", json!({"b64": true}), "SuspiciousHeader"),
        ("b64 off and critical", json!({"b64": false, "crit": ["b64"]}), "SuspiciousHeader"),
    ])
    .await;
}

#[tokio::test]
async fn a_member_that_comes_twice_is_refused_whichever_is_right() {
    for header in [
        format!(r#"{{"alg":"none","kid":"{KID}","alg":"RS256"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{KID}","alg":"none"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{KID}","alg":"RS256"}}"#),
        format!(r#"{{"alg":"RS256","kid":"other","kid":"{KID}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{KID}","kid":"other"}}"#),
    ] {
        check_all([(header.as_str(), signed(&header, claims().to_string()), "Malformed")]).await;
    }
}
