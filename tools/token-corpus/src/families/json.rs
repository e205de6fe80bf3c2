//! Parts that are not JSON objects in UTF-8 (RFC 7515, section 4; RFC 7519, section 7.2), or strange ones.

use serde_json::{Value, json};

use crate::mint::Mint;

/// The members of an object, to be put behind others.
fn members(object: &Value) -> String {
    object.to_string()[1..].to_owned()
}

fn nested(name: &str, open: &str, close: &str, levels: usize) -> String {
    format!("{{\"{name}\":{}1{}", open.repeat(levels), close.repeat(levels))
}

pub(super) fn add(mint: &mut Mint<'_>) {
    let (header, claims) = (mint.pool.header(), mint.pool.claims());
    for (name, part) in [
        ("nothing", String::new()),
        ("white space", " \n".into()),
        ("null", "null".into()),
        ("true", "true".into()),
        ("a number", "1".into()),
        ("a string", "\"RS256\"".into()),
        ("an array", "[\"RS256\"]".into()),
        ("an empty object", "{}".into()),
        ("an open object", "{".into()),
        ("HTML", "<html>".into()),
        ("a NUL", "\0".into()),
    ] {
        mint.header_text(format!("header: {name}"), &part, "Malformed");
        mint.claims_text(format!("claims: {name}"), &part, "Malformed");
    }
    let spoilt = |good: &Value| -> Vec<(&'static str, String)> {
        let text = good.to_string();
        vec![
            ("cut off", text[..text.len() - 1].to_owned()),
            ("more behind", format!("{text}{{}}")),
            ("the same behind", format!("{text}{text}")),
            ("a comma at the end", format!("{},}}", &text[..text.len() - 1])),
            ("a comma at the beginning", format!("{{,{}", &text[1..])),
            ("a comment", format!("{{/* */{}", &text[1..])),
            ("single quotes", text.replace('"', "'")),
            ("names without quotes", text.replace("\"kid\"", "kid").replace("\"sub\"", "sub")),
            ("a line break in a string", format!("{{\"x\":\"\n\",{}", &text[1..])),
            ("a NUL in a string", format!("{{\"x\":\"\0\",{}", &text[1..])),
            ("an unknown escape", format!("{{\"x\":\"\\x41\",{}", &text[1..])),
            ("a byte order mark", format!("\u{feff}{text}")),
            ("a NUL behind", format!("{text}\0")),
            ("in an array", format!("[{text}]")),
        ]
    };
    for (name, part) in spoilt(&header) {
        mint.header_text(format!("header: {name}"), part, "Malformed");
    }
    for (name, part) in spoilt(&claims) {
        mint.claims_text(format!("claims: {name}"), part, "Malformed");
    }
    // What would fill a struct if it were read by position.
    let by_position =
        json!([claims["sub"], claims["iss"], "access", claims["client_id"], claims["exp"], null, null]);
    mint.claims_text("claims: by position", by_position.to_string(), "Malformed");
    deep(mint);
}

/// Readers differ in how deep they follow: `serde_json` 128 levels, and for ever where it skips.
fn deep(mint: &mut Mint<'_>) {
    let (header, claims) = (members(&mint.pool.header()), members(&mint.pool.claims()));
    for (name, open, close, levels) in [("2,000 arrays", "[", "]", 2000), ("400 objects", "{\"\":", "}", 400)]
    {
        let deep = |name| nested(name, open, close, levels);
        mint.header_text(format!("header: {name}"), format!("{},{header}", deep("x")), "Malformed");
        mint.header_text(
            format!("header: {name} as the jwk"),
            format!("{},{header}", deep("jwk")),
            "Malformed",
        );
        mint.claims_text(
            format!("claims: {name} that nobody reads"),
            format!("{},{claims}", deep("x")),
            "Malformed",
        );
        for claim in ["nbf", "sub"] {
            let good = crate::with(mint.pool.claims(), json!({ claim: null }));
            let text = format!("{},{}", deep(claim), members(&good));
            mint.claims_text(format!("claims: {name} as the {claim}"), text, "Malformed");
        }
    }
    let moderate = nested("x", "[", "]", 64);
    mint.claims_text("claims: 64 arrays that nobody reads", format!("{moderate},{claims}"), "accepted");
    mint.header_text("header: 64 arrays that nobody reads", format!("{moderate},{header}"), "accepted");
    mint.claims_text("claims: a number that is too large", format!("{{\"x\":1e400,{claims}"), "Malformed");
    let unclosed = format!("{{\"x\":{}", "[".repeat(2000));
    mint.header_text("header: 2,000 open arrays", &unclosed, "Malformed");
    mint.claims_text("claims: 2,000 open arrays", &unclosed, "Malformed");
}

pub(super) fn unicode(mint: &mut Mint<'_>) {
    let (header, claims) = (mint.pool.header().to_string(), mint.pool.claims().to_string());
    for (name, bytes) in [
        ("a stray byte", b"\xff".to_vec()),
        ("Latin-1", b"\xe9".to_vec()),
        ("a character cut off", b"\xe6\xbc".to_vec()),
        ("an overlong slash", b"\xc0\xaf".to_vec()),
        ("an overlong NUL", b"\xc0\x80".to_vec()),
        ("half a surrogate pair", b"\xed\xa0\x80".to_vec()),
        ("a surrogate pair, each in three bytes", b"\xed\xa0\xbd\xed\xb8\x80".to_vec()),
        ("beyond Unicode", b"\xf4\x90\x80\x80".to_vec()),
    ] {
        let put_in = |part: &str| [b"{\"x\":\"", &bytes[..], b"\",", &part.as_bytes()[1..]].concat();
        mint.header_text(format!("header: {name}"), put_in(&header), "Malformed");
        mint.claims_text(format!("claims: {name}"), put_in(&claims), "Malformed");
    }
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    mint.header_text("header: UTF-16", utf16(&header), "Malformed");
    mint.claims_text("claims: UTF-16", utf16(&claims), "Malformed");
    let half = |text: &str| format!("{{\"x\":\"\\ud800\",{}", &text[1..]);
    mint.header_text("header: half an escaped pair", half(&header), "Malformed");
    let sub = mint.pool.claims()["sub"].to_string();
    mint.claims_text("claims: half an escaped pair", half(&claims), "Malformed");
    mint.claims_text("half an escaped pair as the subject", claims.replace(&sub, "\"\\ud800\""), "Malformed");
    for (name, claim, value, expected) in [
        ("token_use with an invisible letter", "token_use", "acc\u{200b}ess", "NotAnAccessToken"),
        ("token_use with a letter that looks alike", "token_use", "\u{430}ccess", "NotAnAccessToken"),
        ("token_use in wide letters", "token_use", "\u{ff41}ccess", "NotAnAccessToken"),
        ("token_use with a long s", "token_use", "acce\u{17f}\u{17f}", "NotAnAccessToken"),
        ("token_use written backwards", "token_use", "\u{202e}ssecca", "NotAnAccessToken"),
    ] {
        mint.claims(name, json!({ claim: value }), expected);
    }
    let (client, issuer) = (mint.pool.client_id.clone(), mint.pool.issuer.clone());
    for (name, changes, expected) in [
        (
            "client_id with an invisible letter",
            json!({"client_id": format!("{client}\u{200d}")}),
            "WrongClient",
        ),
        (
            "client_id with a Roman numeral",
            json!({"client_id": client.replacen('c', "\u{217d}", 1)}),
            "WrongClient",
        ),
        ("iss with an accent behind", json!({"iss": format!("{issuer}\u{301}")}), "WrongIssuer"),
        ("iss with a soft hyphen", json!({"iss": issuer.replacen('-', "\u{ad}-", 1)}), "WrongIssuer"),
        ("iss with another slash", json!({"iss": issuer.replace('/', "\u{2044}")}), "WrongIssuer"),
    ] {
        mint.claims(name, changes, expected);
    }
    for (name, from, to) in [
        ("a claim's name with an invisible letter", "\"sub\"", "\"su\u{200b}b\""),
        ("a claim's name with a letter that looks alike", "\"exp\"", "\"\u{435}xp\""),
        ("a claim's name in wide letters", "\"iss\"", "\"\u{ff49}ss\""),
    ] {
        mint.claims_text(name, claims.replacen(from, to, 1), "Malformed");
    }
}
