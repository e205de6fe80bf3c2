//! A user pool in memory: its keys, its JWKS document and the tokens it signs.

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use auth::{AuthError, Caller, FetchJwks, JwksUnavailable, Settings, Verifier};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    rand_core::OsRng,
    sha2::Sha256,
    signature::{SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example";
pub(crate) const CLIENT: &str = "4example4client4id4";
pub(crate) const KID: &str = "pool-key-1";

/// The pool's key and one that is nobody's. Generating them takes the most time of all, so once per process.
pub(crate) static POOL_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(generate);
pub(crate) static OTHER_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(generate);

fn generate() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits make an RSA key")
}

/// The pool as the verifier reaches it.
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
        let state = State {
            fetches: AtomicUsize::new(0),
            document: Mutex::new(Some(jwks(&[jwk(KID, &POOL_KEY)]))),
            takes,
        };
        Self(Arc::new(state))
    }

    pub(crate) fn verifier(&self) -> Verifier<Self> {
        Verifier::new(Settings { issuer: ISSUER.into(), client_id: CLIENT.into() }, self.clone())
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

pub(crate) fn jwk(kid: &str, key: &RsaPrivateKey) -> Value {
    json!({
        "kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig",
        "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
        "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
    })
}

pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}

/// The claims of a good access token, as Cognito writes them.
pub(crate) fn claims() -> Value {
    let now = unix_now();
    json!({
        "sub": "11111111-2222-3333-4444-555555555555", "iss": ISSUER, "client_id": CLIENT,
        "token_use": "access", "scope": "aws.cognito.signin.user.admin", "username": "testuser",
        "auth_time": now, "iat": now, "exp": now + 3600, "jti": "a", "origin_jti": "b", "version": 2,
    })
}

/// The good claims with some replaced, or left out where the new value is null.
pub(crate) fn claims_with(changes: Value) -> Value {
    with(claims(), changes)
}

/// The good header with some members replaced, or left out where the new value is null.
pub(crate) fn header_with(changes: Value) -> Value {
    with(json!({ "kid": KID, "alg": "RS256" }), changes)
}

fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let members = base.as_object_mut().expect("the base is an object");
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    base
}

pub(crate) fn good_token() -> String {
    signed(header_with(json!({})).to_string(), claims().to_string())
}

pub(crate) fn with_claims(changes: Value) -> String {
    signed(header_with(json!({})).to_string(), claims_with(changes).to_string())
}

pub(crate) fn with_header(changes: Value) -> String {
    signed(header_with(changes).to_string(), claims().to_string())
}

/// Signed by the pool, whatever the two parts say.
pub(crate) fn signed(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    signed_by(&POOL_KEY, header, claims)
}

pub(crate) fn signed_by(key: &RsaPrivateKey, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let message = message(header, claims);
    let signature = SigningKey::<Sha256>::new(key.clone()).sign(message.as_bytes()).to_vec();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a signature covers.
pub(crate) fn message(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// What became of a token: `accepted`, or the name of the error.
pub(crate) fn verdict(result: &Result<Caller, AuthError>) -> String {
    match result {
        Ok(_) => "accepted".into(),
        Err(error) => format!("{error:?}").split('(').next().unwrap_or_default().to_owned(),
    }
}

/// Judges each token of a table: its name and reason, the token, the verdict.
pub(crate) async fn check_all<'a>(cases: impl IntoIterator<Item = (&'a str, String, &'a str)>) {
    let verifier = FakePool::new().verifier();
    for (name, token, expected) in cases {
        assert_eq!(verdict(&verifier.verify(&token).await), expected, "{name}");
    }
}
