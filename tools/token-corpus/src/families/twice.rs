//! Names that come twice: refused whichever is right, for another reader may take the other one.

use serde_json::{Value, json};

use crate::mint::Mint;

pub(super) fn header(mint: &mut Mint<'_>) {
    let kid = mint.pool.kid.clone();
    let rest = format!(r#""alg":"RS256","kid":"{kid}""#);
    for (name, header) in [
        ("alg, none first", format!(r#"{{"alg":"none",{rest}}}"#)),
        ("alg, none last", format!(r#"{{{rest},"alg":"none"}}"#)),
        ("alg, HS256 first", format!(r#"{{"alg":"HS256",{rest}}}"#)),
        ("alg, HS256 last", format!(r#"{{{rest},"alg":"HS256"}}"#)),
        ("alg, the same", format!(r#"{{{rest},"alg":"RS256"}}"#)),
        ("alg, null last", format!(r#"{{{rest},"alg":null}}"#)),
        ("kid, another first", format!(r#"{{"kid":"other",{rest}}}"#)),
        ("kid, another last", format!(r#"{{{rest},"kid":"other"}}"#)),
        ("kid, the same", format!(r#"{{{rest},"kid":"{kid}"}}"#)),
        ("alg, once escaped", format!(r#"{{{rest},"\u0061lg":"none"}}"#)),
        ("kid, once escaped", format!(r#"{{"\u006bid":"other",{rest}}}"#)),
        ("typ", format!(r#"{{"typ":"JWT",{rest},"typ":"dpop+jwt"}}"#)),
        ("typ, the same", format!(r#"{{"typ":"JWT",{rest},"typ":"JWT"}}"#)),
        ("x5t, which is ignored", format!(r#"{{"x5t":"a",{rest},"x5t":"b"}}"#)),
        ("a member that nobody knows", format!(r#"{{"x-note":1,{rest},"x-note":2}}"#)),
        ("a member that nobody knows, once escaped", format!(r#"{{"x-note":1,{rest},"\u0078-note":2}}"#)),
        ("a member without a name", format!(r#"{{"":1,{rest},"":2}}"#)),
        ("a name inside a member", format!(r#"{{"x-note":{{"a":1,"a":2}},{rest}}}"#)),
    ] {
        mint.header_text(name, header, "Malformed");
    }
}

pub(super) fn claims(mint: &mut Mint<'_>) {
    let good = mint.pool.claims();
    let text = good.to_string();
    let others: [(&str, Value); 13] = [
        ("sub", json!("somebody-else")),
        ("iss", json!("https://evil.example")),
        ("client_id", json!("other")),
        ("token_use", json!("id")),
        ("exp", json!(1)),
        ("exp", json!(u64::MAX)),
        ("iat", json!(1)),
        ("sub", good["sub"].clone()),
        ("iss", good["iss"].clone()),
        ("client_id", good["client_id"].clone()),
        ("token_use", good["token_use"].clone()),
        ("exp", good["exp"].clone()),
        ("scope", json!("admin")),
    ];
    for (name, value) in others {
        let what = if value == good[name] { "the same".to_owned() } else { value.to_string() };
        let member = format!("\"{name}\":{value}");
        let first = format!("{{{member},{}", &text[1..]);
        let last = format!("{},{member}}}", &text[..text.len() - 1]);
        mint.claims_text(format!("{name}, {what} first"), first, "Malformed");
        mint.claims_text(format!("{name}, {what} last"), last, "Malformed");
    }
    for (name, members) in [
        ("sub, once escaped", r#""\u0073ub":"somebody-else""#),
        ("exp, once escaped", r#""ex\u0070":99999999999"#),
        ("a claim that nobody reads, once escaped", r#""user\u006eame":"admin""#),
        ("a claim that nobody reads", r#""custom":1,"custom":2"#),
        ("nbf", r#""nbf":1,"nbf":99999999999"#),
        ("nbf, null last", r#""nbf":1,"nbf":null"#),
        ("a claim without a name", r#""":1,"":2"#),
        ("a name inside a claim that nobody reads", r#""custom":{"a":1,"a":2}"#),
        ("a name deep inside", r#""custom":[[{"a":[{"b":1,"b":1}]}]]"#),
    ] {
        mint.claims_text(name, format!("{{{members},{}", &text[1..]), "Malformed");
    }
}
