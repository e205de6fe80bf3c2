//! Signature Version 4
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>) of a POST without a
//! query, in the `Authorization` header.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use ring::{digest, hmac};

use crate::{Endpoint, Header};

pub(crate) const DATE: &str = "x-amz-date";
pub(crate) const TOKEN: &str = "x-amz-security-token";

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Signs as one role, in one region, for one service.
pub(crate) struct Signer {
    credentials: Credentials,
    region: String,
    service: &'static str,
    key_of_the_day: Mutex<Option<(u64, hmac::Key)>>,
}

pub(crate) struct Signature {
    /// As it is signed: `20150830T123600Z`.
    pub(crate) date: String,
    pub(crate) authorization: String,
}

impl Signer {
    pub(crate) fn new(credentials: &Credentials, region: &str, service: &'static str) -> Self {
        let key_of_the_day = Mutex::new(None);
        Self { credentials: credentials.clone(), region: region.to_owned(), service, key_of_the_day }
    }

    pub(crate) fn sign(
        &self,
        endpoint: &Endpoint,
        headers: &[Header],
        body: &[u8],
        at: SystemTime,
    ) -> Signature {
        let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let date = timestamp(seconds);
        let mut signed: Vec<(&str, &str)> = Vec::with_capacity(headers.len() + 3);
        signed.extend(headers);
        signed.extend([("host", endpoint.host()), (DATE, &date)]);
        signed.extend(self.credentials.session_token().map(|token| (TOKEN, token)));
        signed.sort_unstable();

        let mut names = String::with_capacity(80);
        let mut canonical = format!("POST\n{}\n\n", endpoint.canonical_path());
        for (name, value) in signed {
            if !names.is_empty() {
                names.push(';');
            }
            names.push_str(name);
            canonical.extend([name, ":", value, "\n"]);
        }
        canonical.extend(["\n", &names, "\n"]);
        hex(&digest::digest(&digest::SHA256, body), &mut canonical);

        let scope = format!("{}/{}/{}/aws4_request", &date[..8], self.region, self.service);
        let mut to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n");
        hex(&digest::digest(&digest::SHA256, canonical.as_bytes()), &mut to_sign);

        let key_id = self.credentials.access_key_id();
        let mut authorization =
            format!("AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature=");
        let tag = hmac::sign(&self.key(seconds / SECONDS_A_DAY, &date[..8]), to_sign.as_bytes());
        hex(&tag, &mut authorization);
        Signature { date, authorization }
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

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credentials: _, region, service, key_of_the_day: _ } = self;
        f.debug_struct("Signer").field("region", region).field("service", service).finish_non_exhaustive()
    }
}

/// RFC 3339 without its separators: `20150830T123600Z`.
fn timestamp(seconds: u64) -> String {
    let time = DateTime::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let mut text = time.fmt(Format::DateTime).expect("a year of four digits");
    text.retain(|character| !matches!(character, '-' | ':'));
    text
}

fn hex(bytes: &impl AsRef<[u8]>, into: &mut String) {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    into.extend(bytes.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}
