use time::{Date, Month, Time};

use super::*;

const SALT: &str = "5a173c3c3c3c3c3c3c3c3c3c3c3c3c3c";
const BLOCK: &str = "+vv8/f7/c2VjcmV0IGJsb2Nr";
const PASSWORD: &str = "TestPassword123!";

fn plain() -> String {
    "3b".repeat(384)
}

fn sign(secret: &str, salt: &str, server: &str, block: &str, password: &str) -> Result<String, String> {
    let secret = BoxedUint::from_str_radix_with_precision_vartime(secret, 16, HASH_BITS).expect("a number");
    let challenge = Challenge { user_id: "5f0c1b2a-user", salt, server, secret_block: block };
    let signature =
        Exchange::with(secret).signature(&challenge, "AbCdEfGhI", password, "Sun Nov 1 09:05:07 UTC 2026");
    signature.map_err(|error| error.to_string())
}

/// Computed with amazon-cognito-identity-js 6.3 and with 20 lines of Python integers; pycognito 2024.5 agrees too,
/// but for the salt with leading zeros, which it hashes as text. The secrets were searched for so that in each row
/// A, u and S have an even number of digits and no high bit, except for what the row is about.
#[test]
fn signatures_are_those_of_other_implementations_whatever_the_padding() {
    for (why, secret, salt, server, signature) in [
        ("no number needs anything", "10009", SALT, plain(), "vT7OeasSHsYTPezq0jQFYuu7exYm7SpWVSEywlx9Fpw="),
        ("the high bit of A", "10001", SALT, plain(), "ruS4acWBM3ggqvjzDAligHjUWXwTwp9edA3vLvvXvgQ="),
        ("A of odd length", "10008", SALT, plain(), "StEzZZl+Eu5LfHw9O9UTKjkl2pOiV18Himi7YJaPyI0="),
        ("A short of a byte", "104fb", SALT, plain(), "GoWSQHiKU/1w8u6f3QubMfDvbOkIvM+ySZUB9qOC3NA="),
        ("the high bit of u", "10002", SALT, plain(), "zMMXU9VbmfYs1UbK0q79PNbF0a5R7duBfUA96h44TOE="),
        ("u of odd length", "10050", SALT, plain(), "e4l9tyj+pARYOlBCakE17M0h7MgQpubmHCRjMIeIriw="),
        ("u short of a byte", "1067f", SALT, plain(), "iY/9CmbRGXbagjP4phHazXDlT+PKE+DxPYjBYq+0eow="),
        ("the high bit of S", "1000b", SALT, plain(), "NrSQFbV0iagw+R1zpTNu5HoZJFLMVfsnu/wJ3x5CK90="),
        ("S of odd length", "100ed", SALT, plain(), "EikdWgR4qZkl1qkuH0zWV6DwGWmYzDwNibW3WXMmBc8="),
        ("S short of a byte", "10565", SALT, plain(), "l8SE09FRsoUD2VBaLTuqXp4D36xU79Gq2EFn5NFgxfI="),
        (
            "the high bit of B",
            "1000a",
            SALT,
            "eb".repeat(384),
            "fGootmBdf3Xk1mz14/MjmQPiJpgpf+mw6tUMvlR7I5M=",
        ),
        (
            "B of odd length",
            "10009",
            SALT,
            format!("b{}", "3b".repeat(383)),
            "MOMzmD1QEOhEaAf6dRDeIGHNneKlRqEZqRo3gppxHFA=",
        ),
        (
            "B short of four bytes",
            "10003",
            SALT,
            "3b".repeat(380),
            "XM6sdBeA4Np5DF9PBDWO8td6iGggZk4tgyD7YCWEsH0=",
        ),
        (
            "B beyond the prime",
            "1000b",
            SALT,
            "ff".repeat(384),
            "gHUcHcJiWoELyAD8Bb55SHRqywqnCPI95w2p/r+iv0k=",
        ),
        ("B of one digit", "10020", SALT, "1".into(), "SGrh0cxTgR8k2VbiJ7sO7FXzGKZvYuNARtulLKwwn5w="),
        ("B in capitals", "10009", SALT, "3B".repeat(384), "vT7OeasSHsYTPezq0jQFYuu7exYm7SpWVSEywlx9Fpw="),
        (
            "the high bit of the salt",
            "1000a",
            "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            plain(),
            "1mx7CF9Hz3Kg92/7cx98thPk2WuM7UcGKpS+5R1t8Jo=",
        ),
        (
            "a salt of odd length",
            "10009",
            "53c3c3c3c3c3c3c3c3c3c3c3c3c3c3c",
            plain(),
            "Nwehsp1eafYKyI4JSs7TWJsm2EUJJy2jeXeEET99Y6I=",
        ),
        (
            "a salt with leading zeros",
            "1000a",
            "003c3c3c3c3c3c3c3c3c3c3c3c3c3c3c",
            plain(),
            "s3NGsflY5qep/6CCJpd/w3iB0gNSR1ImqRTuzuMp9Y8=",
        ),
    ] {
        assert_eq!(sign(secret, salt, &server, BLOCK, PASSWORD).as_deref(), Ok(signature), "{why}");
    }
    for (why, secret, password, signature) in [
        (
            "a password beyond ASCII",
            "10009",
            "Пароль, 密码 1!",
            "FLV+X9Tk8zet4GS3sxoTYJtiHNwDTjCXGND1PE6mhes=",
        ),
        ("the greatest secret", &"f".repeat(64), PASSWORD, "AM359sIvtoPJ7hd26UdySY5WbCqGkVtf21XmIedCQ2k="),
    ] {
        assert_eq!(sign(secret, SALT, &plain(), BLOCK, password).as_deref(), Ok(signature), "{why}");
    }
}

#[test]
fn a_challenge_that_would_betray_or_break_something_is_refused() {
    let prime = GROUP.modulus().to_string_radix_vartime(16);
    let (zero, long) = ("SRP_B is a multiple of the group's prime", "SRP_B is not a number of 3072 bits");
    let too_long = format!("1{}", "0".repeat(768));
    for (salt, server, block, complaint) in [
        (SALT, "0", BLOCK, zero),
        (SALT, &prime, BLOCK, zero),
        (SALT, &too_long, BLOCK, long),
        (SALT, "", BLOCK, long),
        (SALT, "+1", BLOCK, long),
        (SALT, "1_0", BLOCK, long),
        (SALT, "x", BLOCK, long),
        ("-1", "1", BLOCK, "SALT is not a number of 3072 bits"),
        (SALT, "1", "?", "SECRET_BLOCK is not Base64"),
    ] {
        let error = sign("10009", salt, server, block, PASSWORD).expect_err("must be refused");
        assert_eq!(error, format!("the user pool's challenge is wrong: {complaint}"), "{server}");
    }
    let exchange = Exchange::begin();
    let (zero, other) = (number(&[0; 32]), number(&[1; 32]));
    let server = hexadecimal(&plain()).expect("a number");
    let error = exchange.shared(server, &zero, &other).expect_err("must be refused").to_string();
    assert!(error.ends_with("SRP_B makes the scrambling parameter zero"), "{error}");
}

#[test]
fn what_is_sent_is_plain_hexadecimal_and_new_each_time() {
    let exchange = |secret: u32| Exchange::with(BoxedUint::from(secret)).public();
    // 2^15, in no more digits than it has.
    assert_eq!(exchange(15), "8000");
    let sent = [Exchange::begin().public(), Exchange::begin().public()];
    assert!(sent[0] != sent[1] && sent.iter().all(|sent| sent.len() > 700), "{sent:?}");
}

#[test]
fn the_day_has_no_zero_and_the_time_has() {
    for (year, month, day, time, expected) in [
        (2026, Month::November, 1, (9, 5, 7), "Sun Nov 1 09:05:07 UTC 2026"),
        (2024, Month::February, 29, (23, 59, 59), "Thu Feb 29 23:59:59 UTC 2024"),
    ] {
        let date = Date::from_calendar_date(year, month, day).expect("a date");
        let time = Time::from_hms(time.0, time.1, time.2).expect("a time");
        assert_eq!(timestamp(OffsetDateTime::new_utc(date, time)), expected);
    }
}
