//! A browser's half of Cognito's SRP: proves that the password is known, and does not send it.
//!
//! SRP-6a (RFC 5054) over the 3072-bit group of RFC 3526 with generator 2. AWS documents the flow, not the arithmetic;
//! that is `AuthenticationHelper` of amazon-cognito-identity-js. Its numbers go into a hash as a Java
//! `BigInteger.toByteArray()`: without leading zeros, but with one zero byte where the high bit is set.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use crypto_bigint::{
    BoxedUint, ConcatenatingMul, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use ring::{
    digest, hmac,
    rand::{SecureRandom, SystemRandom},
};
use time::OffsetDateTime;

use crate::ProbeError;

const GROUP_BITS: u32 = 3072;
const GENERATOR: u8 = 2;
const INFO: &[u8] = b"Caldera Derived Key";
/// The hash's, and the secret's: RFC 5054 asks for 256 bits at least.
const HASH_BITS: u32 = 256;

static GROUP: LazyLock<BoxedMontyParams> = LazyLock::new(|| {
    let prime = concat!(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD",
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F",
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B",
        "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510",
        "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7",
        "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C",
        "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
    );
    let prime = hexadecimal(prime).and_then(|prime| Odd::new(prime).into_option()).expect("a constant");
    BoxedMontyParams::new_vartime(prime)
});

/// What the user pool says in its challenge `PASSWORD_VERIFIER`.
pub(crate) struct Challenge<'a> {
    pub(crate) user_id: &'a str,
    /// Hexadecimal.
    pub(crate) salt: &'a str,
    /// Hexadecimal: B.
    pub(crate) server: &'a str,
    /// Base64.
    pub(crate) secret_block: &'a str,
}

/// The secret of one sign-in, and A, which is sent. No `Debug`, so that it cannot reach a log.
pub(crate) struct Exchange {
    secret: BoxedUint,
    public: BoxedUint,
}

impl Exchange {
    pub(crate) fn begin() -> Self {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).expect("the system has random numbers");
        Self::with(number(&secret))
    }

    fn with(secret: BoxedUint) -> Self {
        let public = element(&[GENERATOR]).pow(&secret).retrieve();
        Self { secret, public }
    }

    /// `SRP_A`, in hexadecimal.
    pub(crate) fn public(&self) -> String {
        self.public.to_string_radix_vartime(16)
    }

    /// `PASSWORD_CLAIM_SIGNATURE`, in Base64. The pool's name is what follows `_` in its id.
    pub(crate) fn signature(
        &self,
        challenge: &Challenge<'_>,
        pool_name: &str,
        password: &str,
        timestamp: &str,
    ) -> Result<String, ProbeError> {
        let &Challenge { user_id, salt, server, secret_block } = challenge;
        let salt = hexadecimal(salt).ok_or_else(|| wrong("SALT is not a number of 3072 bits"))?;
        let server = hexadecimal(server).ok_or_else(|| wrong("SRP_B is not a number of 3072 bits"))?;
        let secret_block = BASE64.decode(secret_block).map_err(|_| wrong("SECRET_BLOCK is not Base64"))?;

        let identity = sha256(&[pool_name, user_id, ":", password].map(str::as_bytes));
        let x = number(&sha256(&[&padded(&salt), &identity]));
        let u = number(&sha256(&[&padded(&self.public), &padded(&server)]));
        let shared = self.shared(server, &u, &x)?;

        // HKDF (RFC 5869) for one block.
        let extracted = hmac(&padded(&u), &[&padded(&shared)]);
        let expanded = hmac(&extracted, &[INFO, &[1]]);
        let parts = [pool_name.as_bytes(), user_id.as_bytes(), &secret_block, timestamp.as_bytes()];
        Ok(BASE64.encode(hmac(&expanded[..16], &parts)))
    }

    /// `(B - k * g^x) ^ (a + u * x)`. SRP-6a demands both refusals: an honest server never sends such a B.
    fn shared(&self, server: BoxedUint, u: &BoxedUint, x: &BoxedUint) -> Result<BoxedUint, ProbeError> {
        let server = BoxedMontyForm::new(server, &GROUP);
        if server.is_zero().to_bool() {
            return Err(wrong("SRP_B is a multiple of the group's prime"));
        }
        if u.is_zero().to_bool() {
            return Err(wrong("SRP_B makes the scrambling parameter zero"));
        }
        let multiplier = element(&sha256(&[&padded(GROUP.modulus()), &[GENERATOR]]));
        let base = server - multiplier * element(&[GENERATOR]).pow(x);
        let exponent = u.concatenating_mul(x).concatenating_add(&self.secret);
        Ok(base.pow(&exponent).retrieve())
    }
}

/// As Cognito wants it, whatever the locale: `Sun Nov 1 09:05:07 UTC 2026`, the day without a zero.
pub(crate) fn timestamp(now: OffsetDateTime) -> String {
    let (hour, minute, second) = now.to_hms();
    let (weekday, month) = (now.weekday().to_string(), now.month().to_string());
    let (day, year) = (now.day(), now.year());
    format!("{} {} {day} {hour:02}:{minute:02}:{second:02} UTC {year}", &weekday[..3], &month[..3])
}

pub(crate) fn wrong(what: &str) -> ProbeError {
    ProbeError::Protocol(format!("the user pool's challenge is wrong: {what}"))
}

fn element(bytes: &[u8]) -> BoxedMontyForm {
    BoxedMontyForm::new(BoxedUint::from_be_slice_truncated(bytes, GROUP_BITS), &GROUP)
}

/// Any number of digits up to the group's size: services leave leading zeros out.
fn hexadecimal(digits: &str) -> Option<BoxedUint> {
    // The parser below would take a sign and underscores, too.
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let parsed = BoxedUint::from_str_radix_with_precision_vartime(digits, 16, GROUP_BITS);
    parsed.ok().filter(|_| plain)
}

fn number(hash: &[u8; 32]) -> BoxedUint {
    BoxedUint::from_be_slice_truncated(hash, HASH_BITS)
}

/// `BigInteger.toByteArray()`.
fn padded(number: &BoxedUint) -> Vec<u8> {
    let bytes = number.to_be_bytes_trimmed_vartime();
    let needs_zero = bytes.first().is_none_or(|first| *first >= 0x80);
    let zero: &[u8] = if needs_zero { &[0] } else { &[] };
    [zero, &bytes].concat()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, &parts.concat());
    digest.as_ref().try_into().expect("256 bits")
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat());
    tag.as_ref().try_into().expect("256 bits")
}

#[cfg(test)]
mod tests;
