//! `kid`: a name to look up in one document, and nothing else.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    mint::Mint,
    pool::{message, with},
};

pub(super) fn add(mint: &mut Mint<'_>) {
    let kid = mint.pool.kid.clone();
    let swapped: String = kid
        .chars()
        .map(|it| if it.is_ascii_lowercase() { it.to_ascii_uppercase() } else { it.to_ascii_lowercase() })
        .collect();
    let cases: Vec<(&str, Value, &str)> = vec![
        ("left out", json!(null), "UnknownKey"),
        ("empty", json!(""), "UnknownKey"),
        ("unknown", json!("made-up"), "UnknownKey"),
        ("other case", json!(swapped), "UnknownKey"),
        ("a space behind", json!(format!("{kid} ")), "UnknownKey"),
        ("a space in front", json!(format!(" {kid}")), "UnknownKey"),
        ("a line break behind", json!(format!("{kid}\n")), "UnknownKey"),
        ("a NUL behind", json!(format!("{kid}\0")), "UnknownKey"),
        ("a NUL and more behind", json!(format!("{kid}\0.pem")), "UnknownKey"),
        ("shorter", json!(&kid[..kid.len() - 1]), "UnknownKey"),
        ("in base64", json!(STANDARD.encode(&kid)), "UnknownKey"),
        ("a path to a file", json!("../../../../dev/null"), "UnknownKey"),
        ("an absolute path", json!("/etc/passwd"), "UnknownKey"),
        ("a Windows path", json!("..\\..\\windows\\win.ini"), "UnknownKey"),
        ("a path behind the name", json!(format!("{kid}/../{kid}")), "UnknownKey"),
        ("an escaped path", json!("%2e%2e%2fjwks.json"), "UnknownKey"),
        ("SQL", json!("x' OR '1'='1"), "UnknownKey"),
        ("more SQL", json!(format!("x' UNION SELECT '{kid}'; --")), "UnknownKey"),
        ("LDAP", json!("*)(uid=*))(|(uid=*"), "UnknownKey"),
        ("a pattern", json!("*"), "UnknownKey"),
        ("a command", json!("|/bin/sleep 5"), "UnknownKey"),
        ("a substitution", json!("$(id) `id` ${7*7} {{7*7}}"), "UnknownKey"),
        ("a format", json!("%s%s%s%n"), "UnknownKey"),
        ("a log line of its own", json!("x\r\n{\"level\":\"INFO\"}"), "UnknownKey"),
        ("a URL", json!("https://evil.example/keys"), "UnknownKey"),
        ("a member of every object", json!("__proto__"), "UnknownKey"),
        ("another member of every object", json!("constructor"), "UnknownKey"),
        ("an index", json!("0"), "UnknownKey"),
        ("5,000 characters", json!("k".repeat(5000)), "UnknownKey"),
        ("64 KiB", json!("k".repeat(64 * 1024)), "TooLong"),
        ("a number", json!(0), "Malformed"),
        ("a fraction", json!(1.5), "Malformed"),
        ("true", json!(true), "Malformed"),
        ("an array", json!([kid]), "Malformed"),
        ("an empty array", json!([]), "Malformed"),
        ("an object", json!({ "kid": kid }), "Malformed"),
    ];
    for (name, value, expected) in cases {
        mint.header(name, json!({ "kid": value }), expected);
    }
    mint.header_text("null", r#"{"kid":null,"alg":"RS256"}"#, "Malformed");
    mint.header_text("in another member", format!(r#"{{"KID":"{kid}","alg":"RS256"}}"#), "UnknownKey");
    by_strangers(mint);
}

/// Names with which somebody without the pool's key would try.
fn by_strangers(mint: &mut Mint<'_>) {
    let claims = mint.pool.claims();
    for (name, kid) in [
        ("a stranger's own", json!("stranger")),
        ("none, by a stranger", json!(null)),
        ("empty, by a stranger", json!("")),
    ] {
        let header = with(mint.pool.header(), json!({ "kid": kid }));
        let token = mint.stranger.token(&header, &claims);
        mint.token(name, token, "UnknownKey");
    }
    // An empty file is an HMAC key that everybody has.
    for path in ["/dev/null", "../../../../../../proc/sys/kernel/randomize_va_space"] {
        for (alg, expected) in [("HS256", "WrongAlgorithm"), ("RS256", "UnknownKey")] {
            let header = with(mint.pool.header(), json!({ "kid": path, "alg": alg }));
            let message = message(header.to_string(), claims.to_string());
            let key = if path == "/dev/null" { b"".to_vec() } else { b"2\n".to_vec() };
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            mint.token(format!("the contents of {path}, {alg}"), token, expected);
        }
    }
}
