use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use rsa::{
    pkcs1::EncodeRsaPublicKey as _,
    pkcs8::{EncodePublicKey as _, LineEnding},
    rand_core::OsRng,
    sha2::{Sha256, Sha512},
    signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};
use serde_json::json;

use crate::pool::*;

/// A good token's message with another signature.
fn message_and(signature: &[u8]) -> String {
    let message = message(header_with(json!({})).to_string(), claims().to_string());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn an_hmac_keyed_by_the_public_key_is_worth_nothing() {
    let public = POOL_KEY.to_public_key();
    let keys = [
        ("SPKI, DER", public.to_public_key_der().unwrap().into_vec()),
        ("SPKI, PEM", public.to_public_key_pem(LineEnding::LF).unwrap().into_bytes()),
        ("SPKI, PEM with CRLF", public.to_public_key_pem(LineEnding::CRLF).unwrap().into_bytes()),
        ("SPKI, PEM trimmed", public.to_public_key_pem(LineEnding::LF).unwrap().trim_end().into()),
        ("PKCS #1, DER", public.to_pkcs1_der().unwrap().into_vec()),
        ("PKCS #1, PEM", public.to_pkcs1_pem(LineEnding::LF).unwrap().into_bytes()),
        ("the modulus", public.n().to_bytes_be()),
        ("the modulus in base64url", URL_SAFE_NO_PAD.encode(public.n().to_bytes_be()).into_bytes()),
        ("the JWK", jwk(KID, &POOL_KEY).to_string().into_bytes()),
        ("nothing", Vec::new()),
    ];
    for (name, key) in keys {
        for (algorithm, alg, expected) in [
            (hmac::HMAC_SHA256, "HS256", "WrongAlgorithm"),
            (hmac::HMAC_SHA512, "HS512", "WrongAlgorithm"),
            (hmac::HMAC_SHA256, "RS256", "WrongSignature"),
        ] {
            let message = message(header_with(json!({ "alg": alg })).to_string(), claims().to_string());
            let tag = hmac::sign(&hmac::Key::new(algorithm, &key), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            check_all([(name, token, expected)]).await;
        }
    }
}

#[tokio::test]
async fn a_signature_is_the_pools_over_this_very_message() {
    let [header, claims] = [header_with(json!({})), claims()].map(|part| part.to_string());
    let message = message(&header, &claims);
    let pss = rsa::pss::SigningKey::<Sha256>::new(POOL_KEY.clone());
    let sha512 = rsa::pkcs1v15::SigningKey::<Sha512>::new(POOL_KEY.clone());
    let good = good_token();
    let (_, signature) = good.rsplit_once('.').unwrap();
    let changed = claims_with(json!({"sub": "somebody-else"})).to_string();
    let moved = format!("{}.{signature}", crate::pool::message(&header, &changed));
    check_all([
        ("another key's", signed_by(&OTHER_KEY, &header, &claims), "WrongSignature"),
        (
            "PSS by the right key",
            message_and(&pss.sign_with_rng(&mut OsRng, message.as_bytes()).to_vec()),
            "WrongSignature",
        ),
        (
            "SHA-512 by the right key",
            message_and(&sha512.sign(message.as_bytes()).to_vec()),
            "WrongSignature",
        ),
        ("moved to other claims", moved, "WrongSignature"),
        ("empty", message_and(&[]), "WrongSignature"),
        ("one byte", message_and(&[0]), "WrongSignature"),
        ("all zero", message_and(&[0; 256]), "WrongSignature"),
        ("all ones", message_and(&[0xff; 256]), "WrongSignature"),
        ("the number one", message_and(&[vec![0; 255], vec![1]].concat()), "WrongSignature"),
        ("the modulus", message_and(&POOL_KEY.n().to_bytes_be()), "WrongSignature"),
        ("far too long", message_and(&[7; 2048]), "WrongSignature"),
    ])
    .await;
}

#[tokio::test]
async fn one_flipped_bit_in_any_byte_of_the_signature_is_noticed() {
    let good = good_token();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let verifier = FakePool::new().verifier();
    assert_eq!(verdict(&verifier.verify(&good).await), "accepted");
    for at in 0..signature.len() {
        let mut flipped = signature.clone();
        flipped[at] ^= 1 << (at % 8);
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(flipped));
        assert_eq!(verdict(&verifier.verify(&token).await), "WrongSignature", "byte {at}");
    }
}

#[tokio::test]
async fn a_changed_character_anywhere_is_noticed() {
    let good = good_token();
    let verifier = FakePool::new().verifier();
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(bytes).unwrap();
        assert!(verifier.verify(&token).await.is_err(), "character {at}");
    }
}
