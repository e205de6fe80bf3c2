//! `alg` and what the signature really is (RFC 8725, sections 2.1 and 3.1).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use rsa::{
    pkcs1::{EncodeRsaPublicKey as _, LineEnding},
    pkcs8::EncodePublicKey as _,
    traits::PublicKeyParts as _,
};
use serde_json::json;

use crate::{
    Scheme,
    key::hexadecimal,
    mint::Mint,
    pool::{message, with},
};

/// No signature at all, or one that is not looked at.
pub(super) fn none(mint: &mut Mint<'_>) {
    for alg in ["none", "None", "NONE", "nOnE", "nonE", " none", "none ", "none\0", "", "null", "n\u{f6}ne"] {
        let header = with(mint.pool.header(), json!({ "alg": alg }));
        let message = message(header.to_string(), mint.pool.claims().to_string());
        mint.token(format!("{alg:?}, unsigned"), format!("{message}."), "WrongAlgorithm");
        mint.token(format!("{alg:?}, two parts"), message, "Malformed");
        let stranger = mint.stranger.token(&header, &mint.pool.claims());
        mint.token(format!("{alg:?}, signed by a stranger"), stranger, "WrongAlgorithm");
        mint.header(format!("{alg:?}, signed by the pool"), json!({ "alg": alg }), "WrongAlgorithm");
        let bare = json!({ "alg": alg }).to_string();
        let without_key = format!("{}.", crate::pool::message(bare, mint.pool.claims().to_string()));
        mint.token(format!("{alg:?}, no key id"), without_key, "WrongAlgorithm");
    }
}

/// The classic: an HMAC with what everybody knows, for a verifier that hands the RSA key to whatever `alg` says.
pub(super) fn hmac(mint: &mut Mint<'_>) {
    let public = mint.pool.public();
    let spki = public.to_public_key_der().expect("DER").into_vec();
    let pkcs1 = public.to_pkcs1_der().expect("DER").into_vec();
    let pem = |ending| public.to_public_key_pem(ending).expect("PEM");
    let pkcs1_pem = |ending| public.to_pkcs1_pem(ending).expect("PEM");
    let (modulus, exponent) = (public.n().to_bytes_be(), public.e().to_bytes_be());
    let jwk = mint.pool.jwk(&mint.pool.kid);
    let keys = [
        ("SPKI, DER", spki.clone()),
        ("SPKI, DER in base64", STANDARD.encode(&spki).into_bytes()),
        ("SPKI, PEM", pem(LineEnding::LF).into_bytes()),
        ("SPKI, PEM with CRLF", pem(LineEnding::CRLF).into_bytes()),
        ("SPKI, PEM trimmed", pem(LineEnding::LF).trim_end().into()),
        ("PKCS #1, DER", pkcs1.clone()),
        ("PKCS #1, DER in base64", STANDARD.encode(&pkcs1).into_bytes()),
        ("PKCS #1, PEM", pkcs1_pem(LineEnding::LF).into_bytes()),
        ("PKCS #1, PEM with CRLF", pkcs1_pem(LineEnding::CRLF).into_bytes()),
        ("PKCS #1, PEM trimmed", pkcs1_pem(LineEnding::LF).trim_end().into()),
        ("the modulus", modulus.clone()),
        ("the modulus with a leading zero", [vec![0], modulus.clone()].concat()),
        ("the modulus in base64url", URL_SAFE_NO_PAD.encode(&modulus).into_bytes()),
        ("the modulus in hexadecimal", hexadecimal(&modulus).into_bytes()),
        ("modulus and exponent", [modulus, exponent.clone()].concat()),
        ("the exponent", exponent),
        ("the JWK", jwk.to_string().into_bytes()),
        ("the JWKS document", json!({ "keys": [jwk] }).to_string().into_bytes()),
        ("the key's name", mint.pool.kid.clone().into_bytes()),
        ("nothing", Vec::new()),
    ];
    for (name, key) in keys {
        for (algorithm, alg, expected) in [
            (hmac::HMAC_SHA256, "HS256", "WrongAlgorithm"),
            (hmac::HMAC_SHA384, "HS384", "WrongAlgorithm"),
            (hmac::HMAC_SHA512, "HS512", "WrongAlgorithm"),
            (hmac::HMAC_SHA256, "RS256", "WrongSignature"),
        ] {
            let header = with(mint.pool.header(), json!({ "alg": alg }));
            let message = message(header.to_string(), mint.pool.claims().to_string());
            let tag = hmac::sign(&hmac::Key::new(algorithm, &key), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            mint.token(format!("{name}, {alg}"), token, expected);
        }
    }
}

/// `alg` is not the key's, or the signature is not what `alg` says.
pub(super) fn others(mint: &mut Mint<'_>) {
    for (alg, expected) in [
        ("RS384", "WrongAlgorithm"),
        ("RS512", "WrongAlgorithm"),
        ("PS256", "WrongAlgorithm"),
        ("PS384", "WrongAlgorithm"),
        ("PS512", "WrongAlgorithm"),
        ("ES256", "WrongAlgorithm"),
        ("ES384", "WrongAlgorithm"),
        ("EdDSA", "WrongAlgorithm"),
        ("HS256", "WrongAlgorithm"),
        ("HS384", "WrongAlgorithm"),
        ("HS512", "WrongAlgorithm"),
        ("ES512", "WrongAlgorithm"),
        ("ES256K", "WrongAlgorithm"),
        ("RS1", "WrongAlgorithm"),
        ("RSA-OAEP", "WrongAlgorithm"),
        ("dir", "WrongAlgorithm"),
    ] {
        mint.header(format!("RS256, called {alg}"), json!({ "alg": alg }), expected);
    }
    for (scheme, alg) in [
        (Scheme::Rs384, "RS384"),
        (Scheme::Rs512, "RS512"),
        (Scheme::Ps256, "PS256"),
        (Scheme::Ps384, "PS384"),
        (Scheme::Ps512, "PS512"),
    ] {
        for (called, expected) in [(alg, "WrongAlgorithm"), ("RS256", "WrongSignature")] {
            let header = with(mint.pool.header(), json!({ "alg": called }));
            let message = message(header.to_string(), mint.pool.claims().to_string());
            let token = mint.pool.signed(scheme, &message);
            mint.if_signed(format!("{alg} by the right key, called {called}"), token, expected);
        }
    }
    elliptic(mint);
}

/// Good signatures by keys of other kinds, which no JWKS document of the pool lists.
fn elliptic(mint: &mut Mint<'_>) {
    for (name, alg, sign) in [
        ("ES256", "ES256", p256 as fn(&[u8]) -> Vec<u8>),
        ("ES384", "ES384", p384),
        ("EdDSA", "EdDSA", ed25519),
        // r = s = 0 satisfied a verifier that forgot to look (CVE-2022-21449).
        ("zeros", "ES256", |_| vec![0; 64]),
    ] {
        for (called, expected) in [(alg, "WrongAlgorithm"), ("RS256", "WrongSignature")] {
            let header = with(mint.pool.header(), json!({ "alg": called }));
            let message = message(header.to_string(), mint.pool.claims().to_string());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(sign(message.as_bytes())));
            mint.token(format!("{name} by a stranger, called {called}"), token, expected);
        }
    }
}

fn p256(message: &[u8]) -> Vec<u8> {
    ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, message)
}

fn p384(message: &[u8]) -> Vec<u8> {
    ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, message)
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let key = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).expect("its own form");
    key.sign(&random, message).expect("signed").as_ref().to_vec()
}

fn ed25519(message: &[u8]) -> Vec<u8> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    Ed25519KeyPair::from_pkcs8(key.as_ref()).expect("its own form").sign(message).as_ref().to_vec()
}

/// Signed well by the pool, under an `alg` that only a generous reader takes for RS256.
pub(super) fn mistyped(mint: &mut Mint<'_>) {
    for (name, alg, expected) in [
        ("small letters", json!("rs256"), "WrongAlgorithm"),
        ("a space behind", json!("RS256 "), "WrongAlgorithm"),
        ("a space in front", json!(" RS256"), "WrongAlgorithm"),
        ("a NUL behind", json!("RS256\0"), "WrongAlgorithm"),
        ("a list in a string", json!("RS256,none"), "WrongAlgorithm"),
        ("digits of another script", json!("RS\u{662}\u{665}\u{666}"), "WrongAlgorithm"),
        ("wide letters", json!("\u{ff32}\u{ff33}256"), "WrongAlgorithm"),
        ("a zero-width space", json!("RS\u{200b}256"), "WrongAlgorithm"),
        ("a hyphen", json!("RS-256"), "WrongAlgorithm"),
        ("the long name", json!("SHA256withRSA"), "WrongAlgorithm"),
        ("a number", json!(256), "Malformed"),
        ("an array", json!(["RS256"]), "Malformed"),
        ("an object", json!({"RS256": null}), "Malformed"),
        ("true", json!(true), "Malformed"),
        ("left out", json!(null), "Malformed"),
    ] {
        mint.header(name, json!({ "alg": alg }), expected);
    }
    let kid = mint.pool.kid.clone();
    mint.header_text("null", format!(r#"{{"kid":"{kid}","alg":null}}"#), "Malformed");
    mint.header_text("in another member", format!(r#"{{"kid":"{kid}","Alg":"RS256"}}"#), "Malformed");
}
