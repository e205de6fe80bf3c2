//! Tokens: of all the texts in the world, the verifier accepts the one that the pool has signed for us.

use std::{collections::BTreeMap, sync::LazyLock};

use auth::{FetchJwks, JwksUnavailable, Settings, Verifier};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;

/// Signed once by a key that nobody has any more: an access token that is good until the year 9999, and others that
/// are not good for us, most of them with the pool's own signature.
#[derive(Deserialize)]
struct Tokens {
    issuer: String,
    client_id: String,
    jwks: Value,
    good: String,
    bad: BTreeMap<String, String>,
}

struct Pool;

impl FetchJwks for Pool {
    async fn fetch(&self) -> Result<Vec<u8>, JwksUnavailable> {
        Ok(TOKENS.jwks.to_string().into_bytes())
    }
}

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    serde_json::from_str(include_str!("tokens.json")).expect("tokens.json holds the tokens")
});

static VERIFIER: LazyLock<Verifier<Pool>> = LazyLock::new(|| {
    Verifier::new(Settings { issuer: TOKENS.issuer.clone(), client_id: TOKENS.client_id.clone() }, Pool)
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts")
});

pub(crate) fn run(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else { return };
    match RUNTIME.block_on(VERIFIER.verify(token)) {
        Ok(_) => assert_eq!(token, TOKENS.good, "accepted"),
        Err(error) => {
            assert_ne!(token, TOKENS.good, "the good token is refused: {error}");
            assert!(!error.is_outage(), "the pool's keys are there");
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let tokens = TOKENS.bad.values().chain([&TOKENS.good]);
    tokens.map(|token| token.as_bytes().to_vec()).collect()
}
