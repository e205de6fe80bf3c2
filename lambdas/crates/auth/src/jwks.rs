//! The user pool's public keys, fetched rarely and kept.

use std::{collections::HashMap, future::Future, time::Duration};

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::AuthError;

/// An unknown `kid` may be a rotated key, or a flood of made-up ones: the pool is asked at most this often.
const REFETCH_AFTER: Duration = Duration::from_secs(10);

/// With no keys at all every request would fail, so try again sooner.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A key that the pool has withdrawn is trusted no longer than this.
const FRESH_FOR: Duration = Duration::from_hours(1);

/// Fetches the pool's JWKS document, within a bounded time.
pub trait FetchJwks: Send + Sync {
    fn fetch(&self) -> impl Future<Output = Result<Vec<u8>, JwksUnavailable>> + Send;
}

/// The keys could not be had.
#[derive(Debug, thiserror::Error)]
#[error("the user pool's keys could not be fetched")]
pub struct JwksUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The keys as last fetched. One fetch at a time: whoever comes meanwhile waits for it.
pub(crate) struct Jwks<F> {
    fetch: F,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, DecodingKey>,
    fetched_at: Option<Instant>,
    tried_at: Option<Instant>,
}

impl<F: FetchJwks> Jwks<F> {
    pub(crate) fn new(fetch: F) -> Self {
        Self { fetch, state: Mutex::default() }
    }

    /// The key named `kid`. With the pool out of reach a key that is known keeps its worth; an unknown one is
    /// an outage, not a verdict.
    pub(crate) async fn key(&self, kid: &str) -> Result<DecodingKey, AuthError> {
        let mut state = self.state.lock().await;
        let known = state.keys.get(kid).cloned();
        if let Some(key) = known.clone().filter(|_| state.is_fresh()) {
            return Ok(key);
        }
        if !state.may_fetch() {
            return known.ok_or_else(|| state.refusal());
        }
        state.tried_at = Some(Instant::now());
        match self.fetch.fetch().await.and_then(|document| parse(&document)) {
            Ok(keys) => {
                state.keys = keys;
                state.fetched_at = Some(Instant::now());
                state.keys.get(kid).cloned().ok_or(AuthError::UnknownKey)
            }
            Err(unavailable) => known.ok_or(AuthError::KeysUnavailable(Some(unavailable))),
        }
    }
}

impl State {
    fn is_fresh(&self) -> bool {
        self.fetched_at.is_some_and(|at| at.elapsed() < FRESH_FOR)
    }

    fn may_fetch(&self) -> bool {
        let pause = if self.keys.is_empty() { RETRY_AFTER } else { REFETCH_AFTER };
        self.tried_at.is_none_or(|at| at.elapsed() >= pause)
    }

    /// Between two fetches: after one that worked the key does not exist; after one that failed nobody knows.
    fn refusal(&self) -> AuthError {
        if self.fetched_at.is_some() && self.fetched_at >= self.tried_at {
            AuthError::UnknownKey
        } else {
            AuthError::KeysUnavailable(None)
        }
    }
}

/// The RSA signing keys of a JWKS document (RFC 7517); others are none of ours.
fn parse(document: &[u8]) -> Result<HashMap<String, DecodingKey>, JwksUnavailable> {
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<Key>,
    }
    #[derive(Deserialize)]
    struct Key {
        kid: Option<String>,
        kty: Option<String>,
        alg: Option<String>,
        r#use: Option<String>,
        n: Option<String>,
        e: Option<String>,
    }
    let document: Document =
        serde_json::from_slice(document).map_err(|error| JwksUnavailable(error.into()))?;
    let keys = document.keys.into_iter().filter_map(|key| {
        let signs = key.r#use.as_deref().is_none_or(|usage| usage == "sig");
        let rs256 = key.kty.as_deref() == Some("RSA") && key.alg.as_deref().is_none_or(|alg| alg == "RS256");
        let decoding = DecodingKey::from_rsa_components(&key.n?, &key.e?).ok()?;
        (signs && rs256).then_some((key.kid?, decoding))
    });
    let keys: HashMap<_, _> = keys.collect();
    if keys.is_empty() {
        return Err(JwksUnavailable("the JWKS document holds no RS256 key".into()));
    }
    Ok(keys)
}
