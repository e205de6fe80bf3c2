//! Texts of another shape than three parts, and what other things with dots look like.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{
    mint::Mint,
    pool::{message, with},
};

const LIMIT: usize = 8 * 1024;

pub(super) fn parts(mint: &mut Mint<'_>) {
    let good = mint.good.clone();
    let [header, claims, signature] = mint.good_parts();
    for (name, token, expected) in [
        ("empty", String::new(), "Malformed"),
        ("one dot", ".".into(), "Malformed"),
        ("two dots", "..".into(), "Malformed"),
        ("1,000 dots", ".".repeat(1000), "Malformed"),
        ("a word", "garbage".into(), "Malformed"),
        ("three letters", "a.b.c".into(), "Malformed"),
        ("a UUID", "aaaaaaaa-0000-4000-8000-000000000001".into(), "Malformed"),
        ("`null`", "null".into(), "Malformed"),
        ("`undefined`", "undefined".into(), "Malformed"),
        ("one part", header.clone(), "Malformed"),
        ("one part and a dot", format!("{header}."), "Malformed"),
        ("two parts", format!("{header}.{claims}"), "Malformed"),
        ("header and signature", format!("{header}.{signature}"), "Malformed"),
        ("claims and signature", format!("{claims}.{signature}"), "Malformed"),
        ("no header", format!(".{claims}.{signature}"), "Malformed"),
        ("no claims", format!("{header}..{signature}"), "WrongSignature"),
        ("no signature", format!("{header}.{claims}."), "WrongSignature"),
        ("four parts", format!("{good}.{signature}"), "Malformed"),
        ("four parts, the first empty", format!(".{good}"), "Malformed"),
        ("four parts, the second empty", format!("{header}..{claims}.{signature}"), "Malformed"),
        ("four parts, the last empty", format!("{good}."), "Malformed"),
        ("five parts", format!("{good}.{claims}.{signature}"), "Malformed"),
        ("six parts, the token twice", format!("{good}.{good}"), "Malformed"),
        ("the token twice, with a comma", format!("{good},{good}"), "Malformed"),
        ("the token twice, with a space", format!("{good} {good}"), "Malformed"),
        ("the claims first", format!("{claims}.{header}.{signature}"), "Malformed"),
        ("other dots", good.replace('.', "\u{2024}"), "Malformed"),
        ("wide dots", good.replace('.', "\u{ff0e}"), "Malformed"),
        ("dots as in a URL", good.replace('.', "%2e"), "Malformed"),
        ("the scheme in front", format!("Bearer {good}"), "Malformed"),
        ("in quotes", format!("\"{good}\""), "Malformed"),
        (
            "JSON serialization (RFC 7515, section 7.2)",
            json!({"protected": header, "payload": claims, "signature": signature}).to_string(),
            "Malformed",
        ),
    ] {
        mint.token(name, token, expected);
    }
}

/// Every fourth length, and each near the ends of the parts.
pub(super) fn truncated(mint: &mut Mint<'_>) {
    let good = mint.good.clone();
    let dots: Vec<_> = good.match_indices('.').map(|(at, _)| at).chain([good.len()]).collect();
    for length in 1..good.len() {
        if length % 4 == 0 || dots.iter().any(|dot| length.abs_diff(*dot) <= 6) {
            mint.token(format!("after {length} characters"), &good[..length], "refused");
        }
    }
    for cut in [1, 2, 3, 4, 40] {
        mint.token(format!("without the first {cut}"), &good[cut..], "refused");
    }
}

/// JWE (RFC 7516): five parts, and headers that speak of encryption.
pub(super) fn encrypted(mint: &mut Mint<'_>) {
    let [_, claims, signature] = mint.good_parts();
    for (alg, enc) in
        [("RSA-OAEP", "A256GCM"), ("RSA1_5", "A128CBC-HS256"), ("dir", "A128GCM"), ("none", "none")]
    {
        let header = with(mint.pool.header(), json!({ "alg": alg, "enc": enc })).to_string();
        let part = URL_SAFE_NO_PAD.encode(&header);
        mint.token(alg, format!("{part}.{signature}.AAAA.{claims}.AAAA"), "Malformed");
        mint.token(format!("{alg}, no key"), format!("{part}..AAAA.{claims}.AAAA"), "Malformed");
        mint.token(format!("{alg}, three parts"), format!("{part}.{claims}.{signature}"), "WrongAlgorithm");
        mint.header_text(format!("{alg}, signed by the pool"), header, "WrongAlgorithm");
    }
    let rs256 = URL_SAFE_NO_PAD.encode(with(mint.pool.header(), json!({"enc": "A256GCM"})).to_string());
    mint.token("RS256, five parts", format!("{rs256}.{signature}.AAAA.{claims}.AAAA"), "Malformed");
    // PBES2 with a count that keeps a verifier busy (CVE-2023-50658 and kin).
    let slow = json!({"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2_147_483_647, "p2s": "AAAA"});
    let slow = URL_SAFE_NO_PAD.encode(slow.to_string());
    mint.token("2^31 rounds", format!("{slow}.{signature}.AAAA.{claims}.AAAA"), "Malformed");
    mint.token("2^31 rounds, three parts", format!("{slow}.{claims}.{signature}"), "WrongAlgorithm");
}

/// A good token inside another.
pub(super) fn nested(mint: &mut Mint<'_>) {
    let good = mint.good.clone();
    let quoted = json!(good).to_string();
    let nested_header = with(mint.pool.header(), json!({"cty": "JWT"})).to_string();
    mint.claims_text("as the claims", &good, "Malformed");
    mint.claims_text("as the claims, a JSON string", &quoted, "Malformed");
    mint.claims_text("in an array", json!([good]).to_string(), "Malformed");
    mint.claims_text("in an object", json!({ "jwt": good }).to_string(), "Malformed");
    mint.parts("as the claims, and said so", &nested_header, &good, "SuspiciousHeader");
    mint.parts("as the claims, said so, a JSON string", &nested_header, &quoted, "SuspiciousHeader");
    let (header, claims) = (mint.pool.header(), json!({ "jwt": good }));
    let stranger = mint.stranger.token(&header, &claims);
    mint.token("in a stranger's", stranger, "WrongSignature");
    mint.token("in base64url", URL_SAFE_NO_PAD.encode(&good), "Malformed");
    let parts: Vec<_> = good.split('.').map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
    mint.token("each part in base64url again", parts.join("."), "Malformed");
    let claims = URL_SAFE_NO_PAD.encode(mint.pool.claims().to_string());
    mint.claims_text("claims in base64url again", claims, "Malformed");
}

/// 8 KiB are the most.
pub(super) fn sizes(mint: &mut Mint<'_>) {
    for (name, length, expected) in [
        ("8 KiB less one", LIMIT - 1, "accepted"),
        ("8 KiB", LIMIT, "accepted"),
        ("8 KiB and one", LIMIT + 1, "TooLong"),
        ("16 KiB", 16 * 1024, "TooLong"),
        ("64 KiB", 64 * 1024, "TooLong"),
        ("256 KiB", 256 * 1024, "TooLong"),
        ("1 MiB", 1024 * 1024, "TooLong"),
    ] {
        let [header, claims] = of_length(mint, length);
        mint.parts(name, header, claims, expected);
    }
    let good = mint.good.clone();
    for (name, token) in [
        ("8 KiB and one of one letter", "a".repeat(LIMIT + 1)),
        ("1 MiB of one letter", "a".repeat(1024 * 1024)),
        ("1 MiB of dots", ".".repeat(1024 * 1024)),
        ("a good token and 64 KiB of signature", format!("{good}{}", "A".repeat(64 * 1024))),
        ("a good token and 8 KiB of spaces", format!("{good}{}", " ".repeat(LIMIT))),
        ("9 KiB of header", message("x".repeat(9 * 1024), "{}") + "."),
    ] {
        mint.token(name, token, "TooLong");
    }
    mint.token("8 KiB of one letter", "a".repeat(LIMIT), "Malformed");
    mint.token("8 KiB of dots", ".".repeat(LIMIT), "Malformed");
}

/// Header and claims of a good token of exactly so many characters. Base64 has no length of 4n + 1, so two parts share
/// the filling.
fn of_length(mint: &Mint<'_>, length: usize) -> [String; 2] {
    const SIGNATURE: usize = ".".len() + 342;
    for in_header in 0..3 {
        let header = with(mint.pool.header(), json!({ "x-note": "x".repeat(in_header) })).to_string();
        let claims =
            |filling: usize| with(mint.pool.claims(), json!({ "custom": "x".repeat(filling) })).to_string();
        let bare = message(&header, claims(0)).len() + SIGNATURE;
        let missing = (length - bare) / 4 * 3;
        for filling in missing.saturating_sub(3)..missing + 4 {
            let claims = claims(filling);
            if message(&header, &claims).len() + SIGNATURE == length {
                return [header, claims];
            }
        }
    }
    unreachable!("two parts of base64 can have any length together")
}
