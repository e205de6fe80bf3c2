//! The user pool that the tokens come from, or pretend to.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    KeyPair, PublicKey, Scheme, SigningKey, Unsigned,
    key::{certificate, jwk},
};

/// A user pool with one app client and one key.
pub struct Pool {
    pub issuer: String,
    pub client_id: String,
    /// The name of the key in the pool's JWKS document.
    pub kid: String,
    key: Box<dyn SigningKey>,
}

impl Pool {
    pub fn new(issuer: &str, client_id: &str, kid: &str, key: impl SigningKey + 'static) -> Self {
        let [issuer, client_id, kid] = [issuer, client_id, kid].map(str::to_owned);
        Self { issuer, client_id, kid, key: Box::new(key) }
    }

    /// One that has the shape of a real one.
    pub fn example(key: KeyPair) -> Self {
        let issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example";
        Self::new(issuer, "4example4client4id4", "pool-key-1", key)
    }

    pub fn public(&self) -> &PublicKey {
        self.key.public()
    }

    /// The public key under any name, as a JWKS document lists it.
    pub fn jwk(&self, kid: &str) -> Value {
        jwk(kid, self.public())
    }

    /// The header of a good token: these two members and no `typ`.
    pub fn header(&self) -> Value {
        json!({ "kid": self.kid, "alg": "RS256" })
    }

    /// The claims of a good access token of one hour, as Cognito writes them.
    pub fn claims(&self) -> Value {
        let now = unix_now();
        json!({
            "sub": "11111111-2222-3333-4444-555555555555", "iss": self.issuer, "client_id": self.client_id,
            "origin_jti": "aaaaaaaa-0000-4000-8000-000000000001", "event_id": "aaaaaaaa-0000-4000-8000-000000000002",
            "token_use": "access", "scope": "aws.cognito.signin.user.admin", "auth_time": now, "exp": now + 3600,
            "iat": now, "jti": "aaaaaaaa-0000-4000-8000-000000000003", "username": "testuser",
        })
    }

    /// Signed by the pool, whatever the two parts say.
    pub fn token(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> Result<String, Unsigned> {
        self.signed(Scheme::Rs256, &message(header, claims))
    }

    /// # Panics
    ///
    /// If the pool's key does not even sign what a pool would write.
    pub fn good_token(&self) -> String {
        self.token(self.header().to_string(), self.claims().to_string()).expect("a pool signs good tokens")
    }

    /// A message and its signature.
    pub(crate) fn signed(&self, scheme: Scheme, message: &str) -> Result<String, Unsigned> {
        signed_by(&*self.key, scheme, message)
    }
}

/// The base object with some members replaced, or left out where the new value is null.
///
/// # Panics
///
/// If one of the two is no object.
#[must_use]
pub fn with(mut base: Value, changes: Value) -> Value {
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

/// What a signature covers.
pub(crate) fn message(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

pub(crate) fn signed_by(key: &dyn SigningKey, scheme: Scheme, message: &str) -> Result<String, Unsigned> {
    let signature = key.sign(scheme, message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Somebody with a key of their own.
pub(crate) struct Stranger(pub(crate) KeyPair);

impl Stranger {
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        jwk(kid, self.0.public())
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        certificate(&self.0)
    }

    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header.to_string(), claims.to_string());
        signed_by(&self.0, Scheme::Rs256, &message).expect("a whole key signs everything")
    }
}

/// # Panics
///
/// If the clock is before 1970.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}
