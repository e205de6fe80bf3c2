//! Signatures that are not the pool's over this very message.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{BigUint, traits::PublicKeyParts as _};
use serde_json::json;

use crate::{
    Scheme,
    mint::Mint,
    pool::{message, with},
};

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("a good token is base64url")
}

pub(super) fn add(mint: &mut Mint<'_>) {
    let wrong = "WrongSignature";
    let [header, claims, signature] = mint.good_parts();
    let good = decoded(&signature);
    let modulus = mint.pool.public().n().clone();
    let value = BigUint::from_bytes_be(&good);
    let other = with(mint.pool.claims(), json!({"sub": "somebody-else"})).to_string();
    let longer_life = with(mint.pool.claims(), json!({"exp": 99_999_999_999_u64})).to_string();
    let stranger = mint.stranger.token(&mint.pool.header(), &mint.pool.claims());
    for (name, token) in [
        ("a stranger's", stranger),
        ("moved to another subject", format!("{}.{signature}", message(decoded(&header), other))),
        ("moved to a longer life", format!("{}.{signature}", message(decoded(&header), longer_life))),
        ("in front of the claims", format!("{header}.{signature}.{claims}")),
    ] {
        mint.token(name, token, wrong);
    }
    // The same number modulo n, which is one signature too many (RFC 8017, section 8.2.2).
    let congruent = |times: u32| (&value + &modulus * BigUint::from(times)).to_bytes_be();
    let one = [vec![0; 255], vec![1]].concat();
    let reversed: Vec<_> = good.iter().rev().copied().collect();
    for (name, signature) in [
        ("empty", vec![]),
        ("one byte", vec![0]),
        ("all zero", vec![0; 256]),
        ("all ones", vec![0xff; 256]),
        ("the number one", one),
        ("the modulus", modulus.to_bytes_be()),
        ("the modulus less one", (&modulus - BigUint::from(1_u32)).to_bytes_be()),
        ("the modulus less the signature", (&modulus - &value).to_bytes_be()),
        ("the signature and the modulus", congruent(1)),
        ("the signature and twice the modulus", congruent(2)),
        ("a zero in front", [vec![0], good.clone()].concat()),
        ("a zero behind", [good.clone(), vec![0]].concat()),
        ("without its first byte", good[1..].to_vec()),
        ("without its last byte", good[..255].to_vec()),
        ("twice", good.repeat(2)),
        ("reversed", reversed),
        ("far too long", vec![7; 2048]),
        ("the digest's size", vec![7; 32]),
    ] {
        let token = format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature));
        mint.token(name, token, wrong);
    }
    over_something_else(mint);
}

/// Good signatures by the pool, over other bytes than a token's.
fn over_something_else(mint: &mut Mint<'_>) {
    let [header, claims, _] = mint.good_parts();
    let [header_json, claims_json] =
        [&header, &claims].map(|part| String::from_utf8(decoded(part)).expect("a good token is UTF-8"));
    for (name, message) in [
        ("over the header", header.clone()),
        ("over the claims", claims.clone()),
        ("over both without a dot", format!("{header}{claims}")),
        ("over both with a dot behind", format!("{header}.{claims}.")),
        ("over both the other way round", format!("{claims}.{header}")),
        ("over the JSON", format!("{header_json}.{claims_json}")),
        ("over nothing", String::new()),
    ] {
        let token = mint.pool.signed(Scheme::Rs256, &message).map(|signed| {
            let signature = signed.rsplit_once('.').map_or("", |(_, signature)| signature);
            format!("{header}.{claims}.{signature}")
        });
        mint.if_signed(name, token, "WrongSignature");
    }
}

/// One bit in each byte, all eight in turn.
pub(super) fn bits(mint: &mut Mint<'_>) {
    let [header, claims, signature] = mint.good_parts();
    let signature = decoded(&signature);
    for at in 0..signature.len() {
        let mut flipped = signature.clone();
        flipped[at] ^= 1 << (at % 8);
        let token = format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(flipped));
        mint.token(format!("byte {at}"), token, "WrongSignature");
    }
}
