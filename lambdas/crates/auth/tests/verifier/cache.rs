use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use token_corpus::with;
use tokio::time::advance;

use crate::pool::*;

const SECOND: Duration = Duration::from_secs(1);

/// Just short of a whole number of seconds.
fn almost(seconds: u32) -> Duration {
    (SECOND * seconds).saturating_sub(Duration::from_millis(1))
}

fn good_token() -> String {
    POOL.good_token()
}

/// Signed by the pool's key, under any name.
fn token_of_key(kid: &str) -> String {
    let header = with(POOL.header(), json!({ "kid": kid }));
    POOL.token(header.to_string(), POOL.claims().to_string()).unwrap()
}

/// A token with no signature to speak of: what is not looked for is not looked at.
fn forged(kid: &str) -> String {
    let header = with(POOL.header(), json!({ "kid": kid }));
    format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[tokio::test(start_paused = true)]
async fn many_tokens_cost_one_fetch() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    assert_eq!(pool.fetches(), 0, "nothing is fetched before it is needed");
    for _ in 0..50 {
        assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted");
    }
    assert_eq!(pool.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_during_a_fetch_shares_it() {
    let pool = FakePool::that_takes(SECOND);
    let verifier = Arc::new(pool.verifier());
    let token = good_token();
    let verifying: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { verdict(&verifier.verify(&token).await) })
        })
        .collect();
    for verified in verifying {
        assert_eq!(verified.await.unwrap(), "accepted");
    }
    assert_eq!(pool.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_costs_one_fetch_in_ten_seconds() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    // 1,000 names in 50 s, one every 50 ms, and none of them twice.
    for n in 0..1000 {
        let token = forged(&format!("made-up-{n}-{}", fastrand::u64(..)));
        assert_eq!(verdict(&verifier.verify(&token).await), "UnknownKey");
        advance(Duration::from_millis(50)).await;
    }
    assert_eq!(pool.fetches(), 5);
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted", "the flood harms nobody");
    assert_eq!(pool.fetches(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_noticed_and_the_withdrawn_one_forgotten() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted");
    pool.publishes(jwks(&[ROTATED.jwk(&ROTATED.kid)]));
    let new = ROTATED.good_token();
    advance(almost(10)).await;
    assert_eq!(verdict(&verifier.verify(&new).await), "UnknownKey", "asked too recently");
    advance(Duration::from_millis(1)).await;
    assert_eq!(verdict(&verifier.verify(&new).await), "accepted");
    assert_eq!(pool.fetches(), 2);
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "UnknownKey", "withdrawn");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_does_not_hide_a_rotated_one_for_long() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted");
    pool.publishes(jwks(&[POOL.jwk(&POOL.kid), ROTATED.jwk(&ROTATED.kid)]));
    let new = ROTATED.good_token();
    let mut seen_after = None;
    for tenth in 0..200 {
        assert_eq!(verdict(&verifier.verify(&forged(&format!("made-up-{tenth}"))).await), "UnknownKey");
        if seen_after.is_none() && verifier.verify(&new).await.is_ok() {
            seen_after = Some(tenth);
        }
        advance(SECOND / 10).await;
    }
    assert_eq!(seen_after, Some(100), "10 s, in tenths");
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted", "published beside the new one");
    assert_eq!(pool.fetches(), 2, "in 20 s");
}

#[tokio::test(start_paused = true)]
async fn many_unknown_keys_at_once_share_one_fetch() {
    let pool = FakePool::that_takes(SECOND);
    let verifier = Arc::new(pool.verifier());
    let verifying: Vec<_> = (0..1000)
        .map(|n| {
            let (verifier, token) = (verifier.clone(), forged(&format!("made-up-{n}")));
            tokio::spawn(async move { verdict(&verifier.verify(&token).await) })
        })
        .collect();
    for verified in verifying {
        assert_eq!(verified.await.unwrap(), "UnknownKey");
    }
    assert_eq!(pool.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_older_than_an_hour_are_fetched_again() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    let _ = verifier.verify(&good_token()).await;
    advance(almost(3600)).await;
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted");
    assert_eq!(pool.fetches(), 1, "still fresh");
    pool.publishes(jwks(&[ROTATED.jwk(&ROTATED.kid)]));
    advance(Duration::from_millis(1)).await;
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "UnknownKey", "withdrawn meanwhile");
    assert_eq!(pool.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn with_the_pool_down_a_known_key_keeps_its_worth() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    let _ = verifier.verify(&good_token()).await;
    pool.goes_down();
    advance(SECOND * 10).await;
    assert_eq!(verdict(&verifier.verify(&token_of_key("new")).await), "KeysUnavailable");
    assert_eq!(verdict(&verifier.verify(&token_of_key("new")).await), "KeysUnavailable", "nobody knows yet");
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted");
    assert_eq!(pool.fetches(), 2);
    advance(SECOND * 3600).await;
    for _ in 0..5 {
        assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted", "stale, and all there is");
    }
    assert_eq!(pool.fetches(), 3, "and the pool is not hammered");
}

#[tokio::test(start_paused = true)]
async fn with_the_pool_down_and_no_keys_it_is_an_outage_tried_again_after_a_second() {
    let pool = FakePool::new();
    pool.goes_down();
    let verifier = pool.verifier();
    for _ in 0..5 {
        let error = verifier.verify(&good_token()).await.unwrap_err();
        assert!(error.is_outage(), "{error:?}");
    }
    assert_eq!(pool.fetches(), 1);
    pool.publishes(jwks(&[POOL.jwk(&POOL.kid)]));
    advance(almost(1)).await;
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "KeysUnavailable");
    advance(Duration::from_millis(1)).await;
    assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted");
    assert_eq!(pool.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_document_without_keys_is_an_outage_and_drops_none() {
    let pool = FakePool::new();
    let verifier = pool.verifier();
    let _ = verifier.verify(&good_token()).await;
    for document in ["", "null", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"EC"}]}"#, "<html>"] {
        pool.publishes(document);
        advance(SECOND * 10).await;
        assert_eq!(verdict(&verifier.verify(&token_of_key("new")).await), "KeysUnavailable", "{document}");
        assert_eq!(verdict(&verifier.verify(&good_token()).await), "accepted", "{document}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_during_the_fetch_does_not_block_the_next() {
    let pool = FakePool::that_takes(SECOND * 3);
    let verifier = pool.verifier();
    let token = good_token();
    assert!(tokio::time::timeout(SECOND, verifier.verify(&token)).await.is_err());
    assert_eq!(verdict(&verifier.verify(&token).await), "accepted");
}
