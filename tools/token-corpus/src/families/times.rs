//! `exp`, `nbf` and `iat`: whole seconds.

use serde_json::{Value, json};

use crate::{mint::Mint, pool::unix_now};

/// The time `name`, spelt in ways that `serde_json` would not write.
fn spelt(mint: &mut Mint<'_>, name: &str, spellings: &[(&str, &str, &'static str)]) {
    let claims = crate::with(mint.pool.claims(), json!({ name: null })).to_string();
    for (what, spelling, expected) in spellings {
        let text = format!("{{\"{name}\":{spelling},{}", &claims[1..]);
        mint.claims_text(format!("{name} {what}"), text, expected);
    }
}

fn changed(mint: &mut Mint<'_>, name: &str, values: Vec<(&str, Value, &'static str)>) {
    for (what, value, expected) in values {
        mint.claims(format!("{name} {what}"), json!({ name: value }), expected);
    }
}

pub(super) fn expires(mint: &mut Mint<'_>) {
    let now = unix_now();
    let values = vec![
        ("a minute ago", json!(now - 60), "Expired"),
        ("an hour ago", json!(now - 3600), "Expired"),
        ("a year ago", json!(now - 31_536_000), "Expired"),
        ("zero", json!(0), "Expired"),
        ("one", json!(1), "Expired"),
        ("left out", json!(null), "Malformed"),
        ("a string", json!((now + 3600).to_string()), "Malformed"),
        ("an empty string", json!(""), "Malformed"),
        ("a date", json!("2099-01-01T00:00:00Z"), "Malformed"),
        ("a fraction", json!(4_000_000_000.5), "Malformed"),
        ("a fraction of nothing", json!(4_000_000_000.0), "Malformed"),
        ("negative", json!(-1), "Malformed"),
        ("negative and far", json!(i64::MIN), "Malformed"),
        ("an array", json!([now + 3600]), "Malformed"),
        ("an object", json!({"$date": now + 3600}), "Malformed"),
        ("true", json!(true), "Malformed"),
        ("milliseconds, so in a distant year", json!((now + 3600) * 1000), "accepted"),
        ("2^31 - 1", json!(i32::MAX), "accepted"),
        ("2^31, not wrapped", json!(1_u64 << 31), "accepted"),
        ("2^32, not wrapped", json!(1_u64 << 32), "accepted"),
        ("2^53 + 1", json!((1_u64 << 53) + 1), "accepted"),
        ("2^63 - 1", json!(i64::MAX), "accepted"),
        ("2^63, not wrapped into the past", json!(1_u64 << 63), "accepted"),
        ("2^64 - 1", json!(u64::MAX), "accepted"),
    ];
    changed(mint, "exp", values);
    let spellings = [
        ("null", "null", "Malformed"),
        ("minus zero", "-0", "Malformed"),
        ("2^64", "18446744073709551616", "Malformed"),
        ("with an exponent", "4e9", "Malformed"),
        ("of 400 digits", "1e400", "Malformed"),
        ("negative with an exponent", "-4e9", "Malformed"),
        ("with a leading zero", "04000000000", "Malformed"),
        ("with a plus", "+4000000000", "Malformed"),
        ("in hexadecimal", "0xffffffff", "Malformed"),
        ("infinite", "Infinity", "Malformed"),
        ("not a number", "NaN", "Malformed"),
    ];
    spelt(mint, "exp", &spellings);
    let text = mint.pool.claims().to_string().replace("\"exp\"", "\"EXP\"");
    mint.claims_text("exp in capitals", text, "Malformed");
}

pub(super) fn begins(mint: &mut Mint<'_>) {
    let now = unix_now();
    let values = vec![
        ("in a minute and an hour", json!(now + 3660), "NotYetValid"),
        ("tomorrow", json!(now + 86_400), "NotYetValid"),
        ("2^32, not wrapped", json!(1_u64 << 32), "NotYetValid"),
        ("2^63, not wrapped into the past", json!(1_u64 << 63), "NotYetValid"),
        ("2^64 - 1, with no room for the leeway", json!(u64::MAX), "NotYetValid"),
        ("a string", json!((now - 60).to_string()), "Malformed"),
        ("a date", json!("2020-01-01T00:00:00Z"), "Malformed"),
        ("a fraction", json!(1.5), "Malformed"),
        ("a fraction of nothing", json!(1.0), "Malformed"),
        ("negative", json!(-1), "Malformed"),
        ("an array", json!([1]), "Malformed"),
        ("false", json!(false), "Malformed"),
        ("zero", json!(0), "accepted"),
    ];
    changed(mint, "nbf", values);
    let values = vec![
        ("a string", json!(now.to_string()), "Malformed"),
        ("a date", json!("2020-01-01T00:00:00Z"), "Malformed"),
        ("a fraction", json!(1.5), "Malformed"),
        ("a fraction of nothing", json!(1.0), "Malformed"),
        ("negative", json!(-1), "Malformed"),
        ("an array", json!([1]), "Malformed"),
        ("an object", json!({}), "Malformed"),
        ("zero", json!(0), "accepted"),
        ("tomorrow, which decides nothing", json!(now + 86_400), "accepted"),
        ("2^63, which decides nothing", json!(1_u64 << 63), "accepted"),
    ];
    changed(mint, "iat", values);
    for name in ["nbf", "iat"] {
        let spellings = [
            ("null", "null", "Malformed"),
            ("minus zero", "-0", "Malformed"),
            ("2^64", "18446744073709551616", "Malformed"),
            ("with an exponent", "1e9", "Malformed"),
            ("of 400 digits", "1e400", "Malformed"),
        ];
        spelt(mint, name, &spellings);
    }
}
