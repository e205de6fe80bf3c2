//! Which keys of a JWKS document are taken.

use serde_json::{Value, json};
use token_corpus::with;

use crate::pool::*;

#[tokio::test]
async fn keys_for_other_purposes_verify_nothing() {
    let spoiled = |kid: &str, change: Value| {
        let mut key = POOL.jwk(kid);
        for (member, value) in change.as_object().unwrap() {
            key[member] = value.clone();
        }
        key
    };
    let pool = FakePool::new();
    pool.publishes(jwks(&[
        POOL.jwk(&POOL.kid),
        spoiled("encrypts", json!({"use": "enc"})),
        spoiled("other-alg", json!({"alg": "RS512"})),
        spoiled("other-kty", json!({"kty": "EC"})),
        spoiled("symmetric", json!({"kty": "oct", "k": "AAAA"})),
        spoiled("no-modulus", json!({"n": null})),
        spoiled("not-base64", json!({"n": "!!"})),
        spoiled("plain", json!({"use": null, "alg": null})),
        json!({"kty": "RSA"}),
    ]));
    let verifier = pool.verifier();
    for (kid, expected) in [
        (POOL.kid.as_str(), "accepted"),
        ("plain", "accepted"),
        ("encrypts", "UnknownKey"),
        ("other-alg", "UnknownKey"),
        ("other-kty", "UnknownKey"),
        ("symmetric", "UnknownKey"),
        ("no-modulus", "UnknownKey"),
        ("not-base64", "UnknownKey"),
    ] {
        let header = with(POOL.header(), json!({ "kid": kid }));
        let token = POOL.token(header.to_string(), POOL.claims().to_string()).unwrap();
        assert_eq!(verdict(&verifier.verify(&token).await), expected, "{kid}");
    }
}
