//! What else a header can say.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{mint::Mint, pool::with};

/// A key in the token, or where to get one. Those by the stranger verify with the key that they bring.
pub(super) fn keys(mint: &mut Mint<'_>) {
    let kid = mint.pool.kid.clone();
    let certificate = STANDARD.encode(mint.stranger.certificate());
    let brings = |mint: &Mint<'_>, kid: &str| -> Vec<(&'static str, Value)> {
        let jwk = mint.stranger.jwk(kid);
        let in_url = STANDARD.encode(json!({ "keys": [jwk.clone()] }).to_string());
        vec![
            ("jwk", json!({ "jwk": jwk })),
            ("jku", json!({"jku": "https://evil.example/keys"})),
            ("jku on this machine", json!({"jku": "http://127.0.0.1/keys"})),
            ("jku that is the document", json!({ "jku": format!("data:application/json;base64,{in_url}") })),
            ("jku that is a file", json!({"jku": "file:///dev/stdin"})),
            ("x5c", json!({ "x5c": [certificate] })),
            ("x5u", json!({"x5u": "https://evil.example/certificate.pem"})),
            ("all of them", json!({"jwk": jwk, "x5c": [certificate], "jku": "x:", "x5u": "x:"})),
        ]
    };
    for (whose, key_id) in
        [("the pool's key id", json!(kid)), ("its own key id", json!("stranger")), ("no key id", Value::Null)]
    {
        for (name, members) in brings(mint, key_id.as_str().unwrap_or("stranger")) {
            let header = with(with(mint.pool.header(), json!({ "kid": key_id })), members);
            let token = mint.stranger.token(&header, &mint.pool.claims());
            mint.token(format!("{name}, {whose}"), token, "SuspiciousHeader");
        }
    }
    let own = mint.pool.jwk(&kid);
    let url = format!("{}/.well-known/jwks.json", mint.pool.issuer);
    for (name, members, expected) in [
        ("jwk that is the pool's", json!({ "jwk": own }), "SuspiciousHeader"),
        ("jku that is the pool's", json!({ "jku": url }), "SuspiciousHeader"),
        ("jku that is empty", json!({"jku": ""}), "SuspiciousHeader"),
        ("x5c that is empty", json!({"x5c": []}), "SuspiciousHeader"),
        ("x5c that is no certificate", json!({"x5c": ["MIIB"]}), "SuspiciousHeader"),
        ("jwk that is empty", json!({"jwk": {}}), "SuspiciousHeader"),
        ("jwk that is symmetric", json!({"jwk": {"kty": "oct", "k": "AAAA"}}), "SuspiciousHeader"),
        ("jwk that is text", json!({"jwk": "x"}), "SuspiciousHeader"),
        ("jku that is a number", json!({"jku": 1}), "SuspiciousHeader"),
    ] {
        mint.header(name, members, expected);
    }
    for member in ["jwk", "jku", "x5c", "x5u"] {
        let header = format!(r#"{{"kid":"{kid}","alg":"RS256","{member}":null}}"#);
        mint.header_text(format!("{member} that is null"), header, "SuspiciousHeader");
    }
}

/// What changes how the rest is to be read.
pub(super) fn rules(mint: &mut Mint<'_>) {
    let kid = mint.pool.kid.clone();
    for (name, members, expected) in [
        ("crit of a claim", json!({"crit": ["exp"]}), "SuspiciousHeader"),
        ("crit of an extension", json!({"crit": ["x-new"], "x-new": true}), "SuspiciousHeader"),
        ("crit of what is not there", json!({"crit": ["x-new"]}), "SuspiciousHeader"),
        ("crit of what is known", json!({"crit": ["alg", "kid"]}), "SuspiciousHeader"),
        ("crit of itself", json!({"crit": ["crit"]}), "SuspiciousHeader"),
        ("crit twice", json!({"crit": ["exp", "exp"]}), "SuspiciousHeader"),
        ("crit empty", json!({"crit": []}), "SuspiciousHeader"),
        ("crit a string", json!({"crit": "exp"}), "SuspiciousHeader"),
        ("crit a number", json!({"crit": 1}), "SuspiciousHeader"),
        ("crit of numbers", json!({"crit": [1]}), "SuspiciousHeader"),
        ("crit an object", json!({"crit": {"exp": true}}), "SuspiciousHeader"),
        ("b64 off", json!({"b64": false}), "SuspiciousHeader"),
        ("b64 on", json!({"b64": true}), "SuspiciousHeader"),
        ("b64 a string", json!({"b64": "false"}), "SuspiciousHeader"),
        ("b64 off and critical", json!({"b64": false, "crit": ["b64"]}), "SuspiciousHeader"),
        ("cty of a nested token", json!({"cty": "JWT"}), "SuspiciousHeader"),
        ("cty of JSON", json!({"cty": "json"}), "SuspiciousHeader"),
        ("zip", json!({"zip": "DEF"}), "SuspiciousHeader"),
        ("enc", json!({"enc": "A128GCM"}), "SuspiciousHeader"),
        ("enc and zip", json!({"enc": "A256CBC-HS512", "zip": "DEF"}), "SuspiciousHeader"),
    ] {
        mint.header(name, members, expected);
    }
    for member in ["crit", "b64", "cty", "zip", "enc"] {
        let header = format!(r#"{{"kid":"{kid}","alg":"RS256","{member}":null}}"#);
        mint.header_text(format!("{member} that is null"), header, "SuspiciousHeader");
    }
    // RFC 7797: the claims as they are, signed as they are.
    let claims = mint.pool.claims();
    let header = with(mint.pool.header(), json!({"b64": false, "crit": ["b64"]})).to_string();
    let unencoded = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(&header));
    mint.message("b64 off, claims unencoded", &unencoded, "refused");
    let without_dots = json!({"sub": "x", "token_use": "access", "exp": claims["exp"]});
    let unencoded = format!("{}.{without_dots}", URL_SAFE_NO_PAD.encode(&header));
    mint.message("b64 off, claims unencoded and without dots", &unencoded, "SuspiciousHeader");
    let detached = mint.pool.token(&header, claims.to_string()).map(|token| {
        let parts: Vec<_> = token.split('.').collect();
        format!("{}..{}", parts[0], parts[2])
    });
    mint.if_signed("b64 off, claims detached", detached, "SuspiciousHeader");
}

/// `typ`.
pub(super) fn types(mint: &mut Mint<'_>) {
    for (typ, expected) in [
        (json!("JWT"), "accepted"),
        (json!("jwt"), "accepted"),
        (json!("Jwt"), "accepted"),
        (json!("application/jwt"), "accepted"),
        (json!("at+jwt"), "accepted"),
        (json!("AT+JWT"), "accepted"),
        (json!("application/at+jwt"), "accepted"),
        (json!("JOSE"), "accepted"),
        (json!("application/jose"), "accepted"),
        (json!("JOSE+JSON"), "NotAnAccessToken"),
        (json!("JWE"), "NotAnAccessToken"),
        (json!("JWS"), "NotAnAccessToken"),
        (json!("id+jwt"), "NotAnAccessToken"),
        (json!("dpop+jwt"), "NotAnAccessToken"),
        (json!("logout+jwt"), "NotAnAccessToken"),
        (json!("secevent+jwt"), "NotAnAccessToken"),
        (json!("token-introspection+jwt"), "NotAnAccessToken"),
        (json!("application/id+jwt"), "NotAnAccessToken"),
        (json!("text/jwt"), "NotAnAccessToken"),
        (json!("application/application/jwt"), "NotAnAccessToken"),
        (json!("application/"), "NotAnAccessToken"),
        (json!("JWT;charset=utf-8"), "NotAnAccessToken"),
        (json!("JWT "), "NotAnAccessToken"),
        (json!(" JWT"), "NotAnAccessToken"),
        (json!("J\u{200b}WT"), "NotAnAccessToken"),
        (json!("refresh"), "NotAnAccessToken"),
        (json!(""), "NotAnAccessToken"),
        (json!(1), "Malformed"),
        (json!(true), "Malformed"),
        (json!(["JWT"]), "Malformed"),
        (json!({"JWT": 1}), "Malformed"),
    ] {
        mint.header(typ.to_string(), json!({ "typ": typ }), expected);
    }
    let kid = mint.pool.kid.clone();
    let null = format!(r#"{{"kid":"{kid}","alg":"RS256","typ":null}}"#);
    mint.header_text("null", null, "Malformed");
}
