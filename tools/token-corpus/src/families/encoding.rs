//! Base64url that is not quite that (RFC 7515, section 2; RFC 4648, sections 3.2 to 3.5).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{Scheme, Unsigned, key::hexadecimal, mint::Mint, pool::with};

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn add(mint: &mut Mint<'_>) {
    let good = mint.good.clone();
    let [header, claims, signature] = mint.good_parts();
    let middle = good.len() / 2;
    for (name, spoiled) in [
        ("padded once", format!("{good}=")),
        ("padded", format!("{good}==")),
        ("padded three times", format!("{good}===")),
        ("padded as in a URL", format!("{good}%3D%3D")),
        ("padding in front", format!("={good}")),
        ("a space in front", format!(" {good}")),
        ("a space behind", format!("{good} ")),
        ("a space around a dot", good.replacen('.', " . ", 1)),
        ("a tab behind", format!("{good}\t")),
        ("a line break behind", format!("{good}\n")),
        ("CRLF behind", format!("{good}\r\n")),
        ("a header of its own behind", format!("{good}\r\nX-Admin: 1")),
        ("a NUL behind", format!("{good}\0")),
        ("a NUL in front", format!("\0{good}")),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("a zero-width space behind", format!("{good}\u{200b}")),
        ("not ASCII", format!("{good}\u{e9}")),
        ("a letter of another script", good.replacen('e', "\u{435}", 1)),
        ("a wide letter", good.replacen('e', "\u{ff45}", 1)),
        ("a percent sign", format!("{good}%")),
        ("a semicolon and more", format!("{good};x=y")),
        ("in hexadecimal", hexadecimal(good.as_bytes())),
        ("capitals", good.to_uppercase()),
    ] {
        mint.token(name, spoiled, "Malformed");
    }
    // The signature may be what is found wrong first.
    for (name, spoiled) in [
        ("a space in the middle", format!("{} {}", &good[..middle], &good[middle..])),
        ("CRLF in the middle", format!("{}\r\n{}", &good[..middle], &good[middle..])),
        ("folded, as in mail", format!("{}\r\n {}", &good[..middle], &good[middle..])),
        ("one letter more", format!("{good}A")),
        ("four letters more", format!("{good}AAAA")),
        ("small letters", good.to_lowercase()),
    ] {
        mint.token(name, spoiled, "refused");
    }
    alphabets(mint);
    trailing_bits(mint, &header, &claims, &signature);
}

/// The parts that are signed, signed as they are written here.
fn alphabets(mint: &mut Mint<'_>) {
    // Bytes that take `-` and `_`, or `+` and `/`; a length that takes padding, in both parts.
    let filling = json!({ "x-note": "\u{7ff}\u{7ff}\u{7ff}???>>>~~~" });
    let header = ending_unevenly(&with(mint.pool.header(), filling.clone()));
    let claims = ending_unevenly(&with(mint.pool.claims(), filling));
    for (name, message) in [
        ("header padded", format!("{}.{}", URL_SAFE.encode(&header), URL_SAFE_NO_PAD.encode(&claims))),
        ("claims padded", format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE.encode(&claims))),
        (
            "header in the standard alphabet",
            format!("{}.{}", STANDARD_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims)),
        ),
        (
            "claims in the standard alphabet",
            format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), STANDARD_NO_PAD.encode(&claims)),
        ),
        ("both in standard base64", format!("{}.{}", STANDARD.encode(&header), STANDARD.encode(&claims))),
        (
            "header with a line break",
            format!("{}\n.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims)),
        ),
        (
            "claims with a space",
            format!("{}. {}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims)),
        ),
        ("header as it is", format!("{header}.{}", URL_SAFE_NO_PAD.encode(&claims))),
        ("claims as they are", format!("{}.{claims}", URL_SAFE_NO_PAD.encode(&header))),
    ] {
        mint.message(name, &message, "Malformed");
    }
    let other_alphabet = signature_in_the_other_alphabet(mint);
    mint.if_signed("signature in the standard alphabet", other_alphabet, "Malformed");
}

/// JSON of a length that base64 pads.
fn ending_unevenly(object: &Value) -> String {
    let text = object.to_string();
    if text.len().is_multiple_of(3) { text + " " } else { text }
}

fn signature_in_the_other_alphabet(mint: &Mint<'_>) -> Result<String, Unsigned> {
    let mut token = mint.good.clone();
    for n in 0.. {
        let (message, signature) = token.rsplit_once('.').expect("a token has dots");
        if signature.contains(['-', '_']) {
            return Ok(format!("{message}.{}", signature.replace('-', "+").replace('_', "/")));
        }
        let claims = with(mint.pool.claims(), json!({ "jti": n.to_string() }));
        token = mint.pool.token(mint.pool.header().to_string(), claims.to_string())?;
    }
    unreachable!("a signature without either is one in thousands")
}

/// Bits behind the last byte: four in a part of 3n + 1 bytes, two in one of 3n + 2. A reader that drops them takes
/// sixteen or four texts for one token, and a list of revoked ones knows one of them.
fn trailing_bits(mint: &mut Mint<'_>, header: &str, claims: &str, signature: &str) {
    for bit in 0..4 {
        let token = format!("{header}.{claims}.{}", with_last_bit(signature, bit));
        mint.token(format!("bit {bit} behind the signature"), token, "Malformed");
    }
    let [uneven_header, uneven_claims] =
        [mint.pool.header(), mint.pool.claims()].map(|part| URL_SAFE_NO_PAD.encode(ending_unevenly(&part)));
    for (name, message) in [
        ("a bit behind the header", format!("{}.{uneven_claims}", with_last_bit(&uneven_header, 0))),
        ("a bit behind the claims", format!("{uneven_header}.{}", with_last_bit(&uneven_claims, 0))),
    ] {
        let token = mint.pool.signed(Scheme::Rs256, &message);
        mint.if_signed(name, token, "Malformed");
    }
}

fn with_last_bit(part: &str, bit: u8) -> String {
    let (rest, last) = part.split_at(part.len() - 1);
    let at = ALPHABET.iter().position(|letter| last.as_bytes() == [*letter]).expect("base64url");
    format!("{rest}{}", char::from(ALPHABET[at ^ (1 << bit)]))
}
