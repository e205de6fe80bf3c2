//! Signature Version 4
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>) of a POST without a
//! query, in the `Authorization` header.
//!
//! Of what is hashed for one call the body alone is its own: all else is the same for the calls of one second. So a
//! connection that is posted to twenty times a second does not hash the session token, its longest part, each time.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use ring::{
    digest::{self, SHA256, SHA256_OUTPUT_LEN},
    hmac,
};

use crate::{Endpoint, Header};

pub(crate) static DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(crate) static TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Signs as one role, in one region, for one service.
pub(crate) struct Signer {
    credentials: Credentials,
    region: String,
    service: &'static str,
    key_of_the_day: Mutex<Option<(u64, hmac::Key)>>,
}

/// Signs calls of one endpoint with the same headers.
pub(crate) struct Stamps {
    signer: Arc<Signer>,
    /// The canonical request up to its date, and from there to the hash of the body. The session token is in it.
    before_date: String,
    after_date: String,
    signed_headers: String,
    latest: Mutex<Option<Stamp>>,
}

/// What the calls of one second have in common.
struct Stamp {
    second: u64,
    /// As it is signed: `20150830T123600Z`.
    date: HeaderValue,
    /// The canonical request, without the hash of the body.
    canonical: digest::Context,
    /// The string to sign, without the hash of the canonical request.
    to_sign: hmac::Context,
    /// The header, without the signature.
    authorization: String,
}

impl Signer {
    pub(crate) fn new(credentials: &Credentials, region: &str, service: &'static str) -> Self {
        let key_of_the_day = Mutex::new(None);
        Self { credentials: credentials.clone(), region: region.to_owned(), service, key_of_the_day }
    }

    /// The key is another one every day.
    fn key(&self, day: u64, date: &str) -> hmac::Key {
        let mut known = self.key_of_the_day.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, key)) = known.as_ref()
            && *of == day
        {
            return key.clone();
        }
        let secret = format!("AWS4{}", self.credentials.secret_access_key());
        let derive =
            |key: &[u8], from: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), from.as_bytes());
        let mut tag = derive(secret.as_bytes(), date);
        for from in [self.region.as_str(), self.service, "aws4_request"] {
            tag = derive(tag.as_ref(), from);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
        *known = Some((day, key.clone()));
        key
    }
}

impl Stamps {
    pub(crate) fn new(signer: Arc<Signer>, endpoint: &Endpoint, headers: &[Header]) -> Self {
        let host = endpoint.url().host().to_str().expect("a host of visible characters");
        let token = signer.credentials.session_token().map(|token| (TOKEN.as_str(), token));
        let mut lines = headers.to_vec();
        lines.extend([("host", host), (DATE.as_str(), "")]);
        lines.extend(token);
        lines.sort_unstable();

        let mut text = format!("POST\n{}\n\n", endpoint.canonical_path());
        let mut before_date = String::new();
        for (name, value) in &lines {
            text.extend([*name, ":"]);
            if *name == DATE.as_str() {
                before_date = std::mem::take(&mut text);
            }
            text.extend([*value, "\n"]);
        }
        let signed_headers = lines.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let after_date = format!("{text}\n{signed_headers}\n");
        Self { signer, before_date, after_date, signed_headers, latest: Mutex::new(None) }
    }

    /// The headers [`DATE`] and `Authorization`.
    pub(crate) fn sign(&self, body: &[u8], at: SystemTime) -> (HeaderValue, HeaderValue) {
        let second = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = match &mut *latest {
            Some(stamp) if stamp.second == second => stamp,
            other => other.insert(self.stamp(second)),
        };
        let mut canonical = stamp.canonical.clone();
        canonical.update(&hex(digest::digest(&SHA256, body).as_ref()));
        let mut to_sign = stamp.to_sign.clone();
        to_sign.update(&hex(canonical.finish().as_ref()));
        let signature = hex(to_sign.sign().as_ref());

        let mut authorization = Vec::with_capacity(stamp.authorization.len() + signature.len());
        authorization.extend_from_slice(stamp.authorization.as_bytes());
        authorization.extend_from_slice(&signature);
        let authorization = HeaderValue::from_maybe_shared(Bytes::from(authorization));
        (stamp.date.clone(), authorization.expect("key and region are parts of a header"))
    }

    fn stamp(&self, second: u64) -> Stamp {
        let Signer { credentials, region, service, key_of_the_day: _ } = &*self.signer;
        let date = timestamp(second);
        let day = &date[..8];
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let mut canonical = digest::Context::new(&SHA256);
        for part in [&self.before_date, &date, &self.after_date] {
            canonical.update(part.as_bytes());
        }
        let mut to_sign = hmac::Context::with_key(&self.signer.key(second / SECONDS_A_DAY, day));
        to_sign.update(format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n").as_bytes());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature=",
            credentials.access_key_id(),
            self.signed_headers
        );
        let date = HeaderValue::try_from(date).expect("digits and letters");
        Stamp { second, date, canonical, to_sign, authorization }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credentials: _, region, service, key_of_the_day: _ } = self;
        f.debug_struct("Signer").field("region", region).field("service", service).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signer, before_date: _, after_date: _, signed_headers, latest: _ } = self;
        let mut shown = f.debug_struct("Stamps");
        shown.field("signer", signer).field("signed_headers", signed_headers).finish_non_exhaustive()
    }
}

/// RFC 3339 without its separators: `20150830T123600Z`.
fn timestamp(seconds: u64) -> String {
    let time = DateTime::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let mut text = time.fmt(Format::DateTime).expect("a year of four digits");
    text.retain(|character| !matches!(character, '-' | ':'));
    text
}

fn hex(hash: &[u8]) -> [u8; 2 * SHA256_OUTPUT_LEN] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 2 * SHA256_OUTPUT_LEN];
    for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(hash) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    text
}
