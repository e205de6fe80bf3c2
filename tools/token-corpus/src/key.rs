//! RSA keys as the corpus needs them: to sign with, in every scheme, and to be shown in every encoding.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
        RsaEncoding, RsaKeyPair,
    },
};
use rsa::{
    BigUint, RsaPrivateKey, pkcs8::EncodePrivateKey as _, rand_core::OsRng, traits::PublicKeyParts as _,
};
use serde_json::{Value, json};

pub use rsa::RsaPublicKey as PublicKey;

/// The signatures that an RSA key can make, by their names in RFC 7518, section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

/// This key does not sign such a message, or not in this scheme.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned;

/// A user pool's key. One that is behind an interface may refuse what it would not write itself; those cases are left
/// out.
pub trait SigningKey: Send + Sync {
    fn public(&self) -> &PublicKey;

    /// The signature of the part of a token that is signed, `<header>.<claims>` in base64url or what pretends to be.
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Unsigned>;
}

/// A key of 2048 bits that signs anything.
#[derive(Debug)]
pub struct KeyPair {
    private: RsaKeyPair,
    public: PublicKey,
}

impl KeyPair {
    /// Takes longer than everything else here: do it once.
    pub fn generate() -> Self {
        let private = RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits make an RSA key");
        let der = private.to_pkcs8_der().expect("an RSA key has a DER form");
        let public = private.to_public_key();
        Self { private: RsaKeyPair::from_pkcs8(der.as_bytes()).expect("ring reads RSA keys"), public }
    }
}

impl SigningKey for KeyPair {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Unsigned> {
        let encoding: &dyn RsaEncoding = match scheme {
            Scheme::Rs256 => &RSA_PKCS1_SHA256,
            Scheme::Rs384 => &RSA_PKCS1_SHA384,
            Scheme::Rs512 => &RSA_PKCS1_SHA512,
            Scheme::Ps256 => &RSA_PSS_SHA256,
            Scheme::Ps384 => &RSA_PSS_SHA384,
            Scheme::Ps512 => &RSA_PSS_SHA512,
        };
        let mut signature = vec![0; self.private.public().modulus_len()];
        self.private
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .expect("the buffer is as long as the modulus");
        Ok(signature)
    }
}

/// The key as a JWKS document lists it (RFC 7517).
pub(crate) fn jwk(kid: &str, key: &PublicKey) -> Value {
    json!({
        "kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig",
        "n": number(key.n()), "e": number(key.e()),
    })
}

fn number(number: &BigUint) -> String {
    URL_SAFE_NO_PAD.encode(number.to_bytes_be())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A certificate that the key has made out to itself: as little X.509 (RFC 5280) as a library would read.
pub(crate) fn certificate(key: &KeyPair) -> Vec<u8> {
    use rsa::pkcs8::EncodePublicKey as _;
    let sequence = |parts: &[Vec<u8>]| tlv(0x30, &parts.concat());
    let rs256 =
        sequence(&[tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]), tlv(0x05, &[])]);
    let common_name = sequence(&[tlv(0x06, &[0x55, 0x04, 0x03]), tlv(0x0c, b"stranger")]);
    let name = sequence(&[tlv(0x31, &common_name)]);
    let validity = sequence(&[tlv(0x17, b"200101000000Z"), tlv(0x17, b"491231235959Z")]);
    let public = key.public.to_public_key_der().expect("an RSA key has a DER form").into_vec();
    let version = tlv(0xa0, &tlv(0x02, &[2]));
    let serial = tlv(0x02, &[1]);
    let body = sequence(&[version, serial, rs256.clone(), name.clone(), validity, name, public]);
    let signature = key.sign(Scheme::Rs256, &body).expect("a whole key signs everything");
    sequence(&[body, rs256, tlv(0x03, &[vec![0], signature].concat())])
}

/// DER: tag, length, value.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length = &length[length.iter().position(|&byte| byte > 0).unwrap_or(length.len() - 1)..];
    let mut der = vec![tag];
    if value.len() >= 0x80 {
        der.push(0x80 | u8::try_from(length.len()).expect("a length has few digits"));
    }
    der.extend([length, value].concat());
    der
}
