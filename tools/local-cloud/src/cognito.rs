//! A Cognito user pool with one app client and no client secret.
//!
//! Absent on purpose: SRP, sign-up, MFA, refresh token rotation, the hosted pages. What is absent is refused.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::Router;
use serde_json::{Map, Value, json};

use keys::KeySet;
use session::Session;

mod api;
mod error;
mod keys;
mod session;

/// The app client: 26 lower-case letters and digits. Always the same, so that a browser's stored sign-in of an
/// earlier run is found and replaced, not left behind.
const CLIENT_ID: &str = "localcloudtristreamclient0";

/// The pool. Cheap to clone.
#[derive(Clone)]
pub struct UserPool {
    inner: Arc<Inner>,
}

/// A user who can sign in, by name or by email.
#[derive(Debug, Clone)]
pub struct User {
    pub username: String,
    pub email: String,
    pub password: String,
    /// The `sub` claim, a UUID.
    pub sub: String,
}

impl UserPool {
    /// `issuer` is what the tokens' `iss` says. Generates a new RSA key.
    pub fn new(region: &str, issuer: &str, users: Vec<User>) -> Self {
        let inner = Inner {
            id: Self::id_in(region),
            issuer: issuer.to_owned(),
            users,
            keys: Mutex::new(KeySet::generate()),
            sessions: Mutex::new(HashMap::new()),
            jwks_down: AtomicBool::new(false),
            jwks_fetches: AtomicUsize::new(0),
        };
        UserPool { inner: Arc::new(inner) }
    }

    /// The id of the pool in a region, for an issuer that contains it.
    pub fn id_in(region: &str) -> String {
        format!("{region}_local0001")
    }

    pub fn pool_id(&self) -> &str {
        &self.inner.id
    }

    pub fn client_id(&self) -> &str {
        CLIENT_ID
    }

    /// The service endpoint (`POST /`) and `GET /{pool_id}/.well-known/jwks.json`.
    pub fn router(&self) -> Router {
        api::router(self.clone())
    }

    /// Signs any claims with the pool's key: the tests make wrong tokens with it.
    pub fn sign(&self, claims: &Value) -> String {
        self.keys().sign(claims)
    }

    /// Signs claims under any header with the pool's key (RS256, whatever the header says).
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.keys().sign_with(header, claims)
    }

    /// What AWS services check: signature, `iss`, `exp`. Accepts access and id tokens alike, as `AppSync` does.
    pub fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let claims = self.keys().verify(token)?;
        let current = claims.get("exp").and_then(Value::as_u64).is_some_and(|exp| exp > session::now());
        let ours = claims.get("iss").and_then(Value::as_str) == Some(&*self.inner.issuer);
        (current && ours).then_some(claims)
    }

    /// The public keys, `{"keys": [{"alg", "e", "kid", "kty", "n", "use"}]}`.
    pub fn jwks(&self) -> Value {
        json!({"keys": self.keys().jwks()})
    }

    /// How often the JWKS was asked for over HTTP, whatever the answer.
    pub fn jwks_fetches(&self) -> usize {
        self.inner.jwks_fetches.load(Ordering::SeqCst)
    }

    /// Makes the JWKS endpoint answer 503 from now on, or no longer.
    pub fn set_jwks_down(&self, down: bool) {
        self.inner.jwks_down.store(down, Ordering::SeqCst);
    }

    /// Signs with a new key from now on. The earlier keys stay in the JWKS if `keep_old`; otherwise what they
    /// signed is no longer valid.
    pub fn rotate_key(&self, keep_old: bool) {
        // Outside of the lock: it takes a while.
        let new = keys::Key::generate();
        self.keys().rotate(new, keep_old);
    }

    fn keys(&self) -> MutexGuard<'_, KeySet> {
        self.inner.keys.lock().expect("the keys' lock")
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.inner.sessions.lock().expect("the sessions' lock")
    }
}

struct Inner {
    id: String,
    issuer: String,
    users: Vec<User>,
    keys: Mutex<KeySet>,
    /// By refresh token. A revoked one stays, so that it is refused as revoked and not as unknown.
    sessions: Mutex<HashMap<String, Session>>,
    jwks_down: AtomicBool,
    jwks_fetches: AtomicUsize,
}

#[cfg(test)]
mod tests;
