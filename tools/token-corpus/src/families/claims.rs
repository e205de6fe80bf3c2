//! Who issued the token, to which app client, for what, about whom.

use serde_json::{Value, json};

use crate::mint::Mint;

fn null(mint: &mut Mint<'_>, name: &str, expected: &'static str) {
    let mut claims = mint.pool.claims();
    claims[name] = Value::Null;
    mint.claims_text(format!("{name} null"), claims.to_string(), expected);
}

pub(super) fn issuer(mint: &mut Mint<'_>) {
    let iss = mint.pool.issuer.clone();
    let (host, pool) =
        iss.rsplit_once('/').map(|(host, pool)| (host.to_owned(), pool.to_owned())).expect("a path");
    for (name, value, expected) in [
        ("left out", json!(null), "Malformed"),
        ("a number", json!(1), "Malformed"),
        ("true", json!(true), "Malformed"),
        ("an array that holds the pool", json!([iss]), "Malformed"),
        ("an array that holds it among others", json!(["https://evil.example", iss]), "Malformed"),
        ("an array of nothing", json!([]), "Malformed"),
        ("an object", json!({ "0": iss }), "Malformed"),
        ("empty", json!(""), "WrongIssuer"),
        ("a slash at the end", json!(format!("{iss}/")), "WrongIssuer"),
        ("a space at the end", json!(format!("{iss} ")), "WrongIssuer"),
        ("a space in front", json!(format!(" {iss}")), "WrongIssuer"),
        ("a line break at the end", json!(format!("{iss}\n")), "WrongIssuer"),
        ("a NUL at the end", json!(format!("{iss}\0")), "WrongIssuer"),
        ("a query", json!(format!("{iss}?x")), "WrongIssuer"),
        ("a fragment", json!(format!("{iss}#x")), "WrongIssuer"),
        ("a dot segment", json!(format!("{host}/./{pool}")), "WrongIssuer"),
        ("two slashes", json!(format!("{host}//{pool}")), "WrongIssuer"),
        ("a port", json!(format!("{host}:443/{pool}")), "WrongIssuer"),
        ("a user in the URL", json!(iss.replacen("://", "://x@", 1)), "WrongIssuer"),
        ("a longer name", json!(format!("{iss}2")), "WrongIssuer"),
        ("a shorter name", json!(&iss[..iss.len() - 1]), "WrongIssuer"),
        ("capitals", json!(iss.to_uppercase()), "WrongIssuer"),
        ("a host in capitals", json!(format!("{}/{pool}", host.to_uppercase())), "WrongIssuer"),
        ("plain http", json!(iss.replacen("https", "http", 1)), "WrongIssuer"),
        ("the host alone", json!(host), "WrongIssuer"),
        ("the pool alone", json!(pool), "WrongIssuer"),
        ("another pool", json!(format!("{host}/{}", pool.replacen('_', "_Other", 1))), "WrongIssuer"),
        ("another region", json!(iss.replace('1', "2")), "WrongIssuer"),
        ("another host", json!(format!("https://evil.example/{pool}")), "WrongIssuer"),
        ("a host that begins alike", json!(format!("{host}.evil.example/{pool}")), "WrongIssuer"),
        ("a letter that looks alike", json!(iss.replacen('o', "\u{43e}", 1)), "WrongIssuer"),
        ("an escaped letter, in the URL", json!(iss.replacen('o', "%6f", 1)), "WrongIssuer"),
    ] {
        mint.claims(name, json!({ "iss": value }), expected);
    }
    null(mint, "iss", "Malformed");
}

pub(super) fn client(mint: &mut Mint<'_>) {
    let ours = mint.pool.client_id.clone();
    for (name, changes, expected) in [
        ("left out", json!({"client_id": null}), "WrongClient"),
        ("another", json!({"client_id": "other"}), "WrongClient"),
        ("longer", json!({"client_id": format!("{ours}x")}), "WrongClient"),
        ("shorter", json!({"client_id": &ours[..ours.len() - 1]}), "WrongClient"),
        ("a space behind", json!({"client_id": format!("{ours} ")}), "WrongClient"),
        ("a NUL behind", json!({"client_id": format!("{ours}\0")}), "WrongClient"),
        ("capitals", json!({"client_id": ours.to_uppercase()}), "WrongClient"),
        ("empty", json!({"client_id": ""}), "WrongClient"),
        ("a pattern", json!({"client_id": "*"}), "WrongClient"),
        ("two in a string", json!({"client_id": format!("{ours},other")}), "WrongClient"),
        ("an array", json!({"client_id": [ours]}), "Malformed"),
        ("an array of several", json!({"client_id": ["other", ours]}), "Malformed"),
        ("a number", json!({"client_id": 4}), "Malformed"),
        ("true", json!({"client_id": true}), "Malformed"),
        ("an object", json!({"client_id": {"id": ours}}), "Malformed"),
        ("as the audience only", json!({"client_id": null, "aud": ours}), "WrongClient"),
        ("as one audience of several", json!({"client_id": null, "aud": ["x", ours]}), "WrongClient"),
        ("as the authorized party", json!({"client_id": null, "azp": ours}), "WrongClient"),
        ("as `clientId`", json!({"client_id": null, "clientId": ours}), "WrongClient"),
        ("another, and ours as the audience", json!({"client_id": "other", "aud": ours}), "WrongClient"),
    ] {
        mint.claims(name, changes, expected);
    }
    null(mint, "client_id", "WrongClient");
}

pub(super) fn token_use(mint: &mut Mint<'_>) {
    let ours = mint.pool.client_id.clone();
    for (name, changes, expected) in [
        ("id", json!({"token_use": "id"}), "NotAnAccessToken"),
        (
            "an id token, as Cognito writes it",
            json!({
                "token_use": "id", "client_id": null, "scope": null, "username": null, "aud": ours,
                "cognito:username": "testuser", "email": "test@example.com", "email_verified": true,
            }),
            "NotAnAccessToken",
        ),
        ("refresh", json!({"token_use": "refresh"}), "NotAnAccessToken"),
        ("capitals", json!({"token_use": "ACCESS"}), "NotAnAccessToken"),
        ("a space behind", json!({"token_use": "access "}), "NotAnAccessToken"),
        ("a NUL behind", json!({"token_use": "access\0"}), "NotAnAccessToken"),
        ("two in a string", json!({"token_use": "access,id"}), "NotAnAccessToken"),
        ("another word", json!({"token_use": "access_token"}), "NotAnAccessToken"),
        ("empty", json!({"token_use": ""}), "NotAnAccessToken"),
        ("left out", json!({"token_use": null}), "Malformed"),
        ("a number", json!({"token_use": 1}), "Malformed"),
        ("true", json!({"token_use": true}), "Malformed"),
        ("an array", json!({"token_use": ["access"]}), "Malformed"),
        ("an array of both", json!({"token_use": ["id", "access"]}), "Malformed"),
        ("an object", json!({"token_use": {"access": true}}), "Malformed"),
        ("as `tokenUse`", json!({"token_use": null, "tokenUse": "access"}), "Malformed"),
    ] {
        mint.claims(name, changes, expected);
    }
    null(mint, "token_use", "Malformed");
}

pub(super) fn subject(mint: &mut Mint<'_>) {
    for (name, changes, expected) in [
        ("left out", json!({"sub": null}), "Malformed"),
        ("left out, with a user name", json!({"sub": null, "username": "admin"}), "Malformed"),
        ("empty", json!({"sub": ""}), "Malformed"),
        ("a number", json!({"sub": 7}), "Malformed"),
        ("zero", json!({"sub": 0}), "Malformed"),
        ("false", json!({"sub": false}), "Malformed"),
        ("an array", json!({"sub": ["a"]}), "Malformed"),
        ("an object", json!({"sub": {"id": "a"}}), "Malformed"),
        ("as `Sub`", json!({"sub": null, "Sub": "a"}), "Malformed"),
    ] {
        mint.claims(name, changes, expected);
    }
    null(mint, "sub", "Malformed");
}
