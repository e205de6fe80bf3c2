//! The pool's RSA keys: JWKS, RS256 signatures (RFC 7515, RFC 7518) and their verification.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    rand_core::OsRng,
    sha2::Sha256,
    signature::{Keypair, SignatureEncoding, Signer, Verifier},
    traits::PublicKeyParts,
};
use serde_json::{Map, Value, json};

use crate::sigv4::random;

/// The current key, then the earlier ones.
pub(super) struct KeySet {
    current: Key,
    earlier: Vec<Verification>,
}

pub(super) struct Key {
    signing: SigningKey<Sha256>,
    verification: Verification,
}

struct Verification {
    kid: String,
    key: VerifyingKey<Sha256>,
}

impl Key {
    pub(super) fn generate() -> Self {
        let private = RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits make an RSA key");
        let signing = SigningKey::<Sha256>::new(private);
        let verification =
            Verification { kid: STANDARD.encode(random::<32>()), key: signing.verifying_key() };
        Key { signing, verification }
    }
}

impl KeySet {
    pub(super) fn generate() -> Self {
        KeySet { current: Key::generate(), earlier: Vec::new() }
    }

    pub(super) fn rotate(&mut self, new: Key, keep_old: bool) {
        let old = std::mem::replace(&mut self.current, new).verification;
        if keep_old {
            self.earlier.insert(0, old);
        } else {
            self.earlier.clear();
        }
    }

    pub(super) fn jwks(&self) -> Vec<Value> {
        self.all().map(Verification::jwk).collect()
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        // Cognito's header has these two members and no `typ`.
        self.sign_with(&json!({"kid": self.current.verification.kid, "alg": "RS256"}), claims)
    }

    pub(super) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.current.signing.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// The claims, if one of these keys signed them with RS256.
    pub(super) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = decode_object(header)?;
        if header.get("alg")? != "RS256" {
            return None;
        }
        let kid = header.get("kid")?.as_str()?;
        let signature = Signature::try_from(&*URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        self.all().find(|key| key.kid == kid)?.key.verify(signed.as_bytes(), &signature).ok()?;
        decode_object(claims)
    }

    fn all(&self) -> impl Iterator<Item = &Verification> {
        std::iter::once(&self.current.verification).chain(&self.earlier)
    }
}

impl Verification {
    fn jwk(&self) -> Value {
        let key: &rsa::RsaPublicKey = self.key.as_ref();
        json!({
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
            "kid": self.kid,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
            "use": "sig",
        })
    }
}

fn decode_object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
