//! A user pool in memory, as the verifier reaches it.

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use auth::{AuthError, Caller, FetchJwks, JwksUnavailable, Settings, Verifier};
use serde_json::{Value, json};
use token_corpus::{KeyPair, Pool};

/// The pool as it is, and after its key was rotated. Generating keys takes the most time of all, so once per process.
pub(crate) static POOL: LazyLock<Pool> = LazyLock::new(|| Pool::example(KeyPair::generate()));
pub(crate) static ROTATED: LazyLock<Pool> =
    LazyLock::new(|| Pool::new(&POOL.issuer, &POOL.client_id, "pool-key-2", KeyPair::generate()));

/// A JWKS endpoint.
#[derive(Clone)]
pub(crate) struct FakePool(Arc<State>);

struct State {
    fetches: AtomicUsize,
    document: Mutex<Option<String>>,
    takes: Duration,
}

impl FakePool {
    pub(crate) fn new() -> Self {
        Self::that_takes(Duration::ZERO)
    }

    pub(crate) fn that_takes(takes: Duration) -> Self {
        let document = Mutex::new(Some(jwks(&[POOL.jwk(&POOL.kid)])));
        Self(Arc::new(State { fetches: AtomicUsize::new(0), document, takes }))
    }

    pub(crate) fn verifier(&self) -> Verifier<Self> {
        let settings = Settings { issuer: POOL.issuer.clone(), client_id: POOL.client_id.clone() };
        Verifier::new(settings, self.clone())
    }

    pub(crate) fn publishes(&self, document: impl Into<String>) {
        *self.0.document.lock().unwrap() = Some(document.into());
    }

    pub(crate) fn goes_down(&self) {
        *self.0.document.lock().unwrap() = None;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.0.fetches.load(Ordering::SeqCst)
    }
}

impl FetchJwks for FakePool {
    async fn fetch(&self) -> Result<Vec<u8>, JwksUnavailable> {
        self.0.fetches.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.0.takes).await;
        let document = self.0.document.lock().unwrap().clone();
        document.map(String::into_bytes).ok_or_else(|| JwksUnavailable("connection refused".into()))
    }
}

pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// What became of a token: `accepted`, or the name of the error.
pub(crate) fn verdict(result: &Result<Caller, AuthError>) -> String {
    match result {
        Ok(_) => "accepted".into(),
        Err(error) => format!("{error:?}").split('(').next().unwrap_or_default().to_owned(),
    }
}
