//! Tokens that are unusual and good: a wrong refusal is a fault as well.

use serde_json::{Value, json};

use crate::{mint::Mint, pool::unix_now};

pub(super) fn add(mint: &mut Mint<'_>) {
    let good = mint.good.clone();
    mint.token("as Cognito writes it", good, "accepted");
    let now = unix_now();
    for (name, changes) in [
        ("groups", json!({"cognito:groups": ["a", "b"]})),
        ("64 groups", json!({"cognito:groups": (0..64).map(|n| format!("group-{n}")).collect::<Vec<_>>()})),
        ("a claim of another sort", json!({"custom": {"deep": [1, 2.5, {"er": null}], "": true}})),
        ("the names of claims inside another", json!({"custom": {"sub": "x", "iss": "y", "exp": 1}})),
        ("the same name in two claims", json!({"one": {"a": 1}, "two": [{"a": 1}, {"a": 1}]})),
        ("a claim that quotes others", json!({"username": "\",\"sub\":\"somebody-else\",\"x\":\""})),
        ("a `nbf` that has passed", json!({"nbf": 1})),
        ("a `nbf` of this second", json!({"nbf": now})),
        ("an audience, which access tokens have none of", json!({"aud": "x"})),
        ("no `iat`, which decides nothing", json!({"iat": null})),
        ("no scope, no user name", json!({"scope": null, "username": null})),
        ("no `jti` and no `auth_time`", json!({"jti": null, "auth_time": null})),
        ("ten minutes left", json!({"exp": now + 600})),
        ("one day", json!({"exp": now + 86_400})),
        ("a user name in many scripts", json!({"username": "Zoë \u{6f22}\u{5b57} \u{1f600}"})),
        ("a subject that is no UUID", json!({"sub": "Zoë/\u{1f600}"})),
        ("a subject of 2,000 characters", json!({"sub": "s".repeat(2000)})),
        ("a claim of 4,000 characters", json!({"custom": "x".repeat(4000)})),
        ("claims whose base64url has `-` and `_`", json!({"custom": "\u{7ff}\u{7ff}\u{7ff}???>>>~~~"})),
    ] {
        mint.claims(name, changes, "accepted");
    }
    for (name, changes) in [
        ("a header member that nobody knows (RFC 7515, section 4)", json!({"x-note": {"a": [1]}})),
        ("a thumbprint, which brings no key", json!({"x5t": "AAAA", "x5t#S256": "BBBB"})),
    ] {
        mint.header(name, changes, "accepted");
    }
    // Every length that base64url leaves unpadded, in both parts.
    for filling in 0..3 {
        let padding = "x".repeat(filling);
        mint.claims(format!("{filling} more bytes of claims"), json!({ "custom": padding }), "accepted");
        mint.header(format!("{filling} more bytes of header"), json!({ "x-note": padding }), "accepted");
    }
    spelt_differently(mint);
}

/// The same JSON in other bytes (RFC 8259).
fn spelt_differently(mint: &mut Mint<'_>) {
    let (header, claims) = (mint.pool.header(), mint.pool.claims());
    let members = |object: &Value| object.as_object().expect("an object").clone().into_iter();
    let reversed: Vec<_> =
        members(&claims).rev().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let reversed = format!("{{{}}}", reversed.join(","));
    let pretty = serde_json::to_string_pretty(&claims).expect("claims are JSON");
    let escaped: Vec<_> = members(&claims)
        .map(|(name, value)| {
            let (first, rest) = name.split_at(1);
            format!("\"\\u{:04x}{rest}\":{value}", u32::from(first.as_bytes()[0]))
        })
        .collect();
    let text = claims.to_string();
    for (name, claims) in [
        ("claims in another order", reversed),
        ("claims on many lines", pretty.clone()),
        ("claims on many lines, with CRLF", pretty.replace('\n', "\r\n")),
        ("white space around", format!(" \t\r\n{text} \t\r\n")),
        ("tabs between", text.replace(",\"", "\t,\t\"")),
        ("slashes escaped, as some writers do", text.replace('/', "\\/")),
        ("names with an escape", format!("{{{}}}", escaped.join(","))),
        ("a value with an escape", text.replace("\"access\"", "\"\\u0061ccess\"")),
        ("an exponent where nobody reads", text.replacen('{', "{\"custom\":1e3,", 1)),
    ] {
        mint.claims_text(name, claims, "accepted");
    }
    let kid = mint.pool.kid.clone();
    for (name, header) in [
        ("`alg` before `kid`", format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#)),
        ("`kid` before `alg`", format!(r#"{{"kid":"{kid}","alg":"RS256"}}"#)),
        ("a header with white space", format!(" {{ \"alg\" : \"RS256\" ,\r\n\t\"kid\" : \"{kid}\" }} ")),
        ("a header with escapes", header.to_string().replace("alg", "\\u0061lg").replace("RS", "\\u0052S")),
    ] {
        mint.header_text(name, header, "accepted");
    }
}
