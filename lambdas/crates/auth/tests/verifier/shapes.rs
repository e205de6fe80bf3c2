use serde_json::{Value, json};

use crate::pool::*;

const MAX_TOKEN_BYTES: usize = 8 * 1024;

#[tokio::test]
async fn a_token_has_three_parts_of_base64url() {
    let good = good_token();
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    check_all([
        ("empty", String::new(), "Malformed"),
        ("dots", "..".into(), "Malformed"),
        ("many dots", ".".repeat(1000), "Malformed"),
        ("one part", header.into(), "Malformed"),
        ("two parts", format!("{header}.{claims}"), "Malformed"),
        ("four parts", format!("{good}.{signature}"), "Malformed"),
        ("four parts, the first empty", format!(".{good}"), "Malformed"),
        ("four parts, the last empty", format!("{good}."), "Malformed"),
        ("five parts, as an encrypted token has", format!("{good}.{claims}.{signature}"), "Malformed"),
        ("no header", format!(".{claims}.{signature}"), "Malformed"),
        ("no claims", format!("{header}..{signature}"), "WrongSignature"),
        ("no signature", format!("{header}.{claims}."), "WrongSignature"),
        ("padded", format!("{good}=="), "Malformed"),
        ("a space in front", format!(" {good}"), "Malformed"),
        ("a line break behind", format!("{good}\n"), "Malformed"),
        ("a NUL behind", format!("{good}\0"), "Malformed"),
        ("not ASCII", format!("{good}\u{e9}"), "Malformed"),
        ("the scheme still in front", format!("Bearer {good}"), "Malformed"),
        ("twice with a comma", format!("{good},{good}"), "Malformed"),
        ("the standard alphabet", format!("{header}.{claims}.{}", "+/".repeat(171)), "Malformed"),
    ])
    .await;
}

#[tokio::test]
async fn the_beginning_of_a_token_is_no_token() {
    let good = good_token();
    let verifier = FakePool::new().verifier();
    assert_eq!(verdict(&verifier.verify(&good).await), "accepted");
    for end in 0..good.len() {
        let result = verifier.verify(&good[..end]).await;
        assert!(result.as_ref().is_err_and(|error| !error.is_outage()), "{end} characters: {result:?}");
    }
}

#[tokio::test]
async fn both_parts_are_json_objects_in_utf8() {
    let deep = format!("{{\"a\":{}{}", "[".repeat(2000), "]".repeat(2000));
    let good = || (header_with(json!({})).to_string().into_bytes(), claims().to_string().into_bytes());
    let mut invalid = good();
    invalid.1[9] = 0xff;
    let not_utf8_claims = signed(&invalid.0, &invalid.1);
    let mut invalid = good();
    invalid.0[9] = 0xff;
    let not_utf8_header = signed(&invalid.0, &invalid.1);
    let (header, claims) = good();
    check_all([
        ("a header of nothing", signed("", &claims), "Malformed"),
        ("a header that is null", signed("null", &claims), "Malformed"),
        ("a header that is an array", signed("[\"RS256\"]", &claims), "Malformed"),
        ("a header that is a string", signed("\"RS256\"", &claims), "Malformed"),
        ("a header with more behind", signed([&header[..], b"{}"].concat(), &claims), "Malformed"),
        (
            "a header that nests 2,000 levels",
            signed(format!("{deep},{}", text(&header)), &claims),
            "Malformed",
        ),
        ("a header that is not UTF-8", not_utf8_header, "Malformed"),
        ("claims of nothing", signed(&header, ""), "Malformed"),
        ("claims that are null", signed(&header, "null"), "Malformed"),
        ("claims that are a number", signed(&header, "1"), "Malformed"),
        ("claims that are an array", signed(&header, array_of_claims().to_string()), "Malformed"),
        ("claims with more behind", signed(&header, [&claims[..], b"{}"].concat()), "Malformed"),
        (
            "an unread claim of 2,000 levels, skipped without recursion",
            signed(&header, format!("{deep},{}", text(&claims))),
            "accepted",
        ),
        (
            "a subject of 2,000 levels",
            signed(&header, format!("{},{}", deep.replace("\"a\"", "\"sub\""), text(&claims))),
            "Malformed",
        ),
        ("claims that are not UTF-8", not_utf8_claims, "Malformed"),
        ("claims cut off", signed(&header, &claims[..claims.len() - 1]), "Malformed"),
        ("a lone surrogate", signed(&header, text(&claims).replace("testuser", "\\ud800")), "Malformed"),
        (
            "a lone surrogate as the subject",
            signed(&header, text(&claims).replace("11111111", "\\ud800")),
            "Malformed",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_token_is_at_most_8_kib() {
    check_all([
        ("8 KiB", token_of(MAX_TOKEN_BYTES), "accepted"),
        ("8 KiB and 1", token_of(MAX_TOKEN_BYTES + 1), "TooLong"),
        ("64 KiB", token_of(64 * 1024), "TooLong"),
        ("1 MiB", token_of(1024 * 1024), "TooLong"),
        ("1 MiB of nothing", "a".repeat(1024 * 1024), "TooLong"),
        ("1 MiB of dots", ".".repeat(1024 * 1024), "TooLong"),
    ])
    .await;
}

/// What would fill the verifier's struct of claims if it were read by position.
fn array_of_claims() -> Value {
    let claims = claims();
    json!([claims["sub"], claims["iss"], "access", CLIENT, claims["exp"], null, null])
}

/// The members of an object, to be put behind others.
fn text(object: &[u8]) -> &str {
    std::str::from_utf8(&object[1..]).expect("JSON is UTF-8")
}

/// A good token of exactly so many characters. Base64 has no length of 4n + 1, so two parts share the padding.
fn token_of(length: usize) -> String {
    for in_header in 0..3 {
        let header = header_with(json!({ "typ": "x".repeat(in_header) }));
        let bare = message(header.to_string(), claims_with(json!({"pad": ""})).to_string()).len() + 343;
        let missing = (length - bare) / 4 * 3;
        for pad in missing.saturating_sub(3)..missing + 4 {
            let claims = claims_with(json!({ "pad": "x".repeat(pad) }));
            if message(header.to_string(), claims.to_string()).len() + 343 == length {
                return signed(header.to_string(), claims.to_string());
            }
        }
    }
    panic!("no token has {length} characters")
}
