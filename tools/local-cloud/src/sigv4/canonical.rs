//! What is signed: the `Authorization` header taken apart, and the canonical request put together.

use std::time::SystemTime;

use aws_smithy_types::date_time::{DateTime, Format};
use http::{HeaderMap, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};

use super::{Denied, Signed, invalid, mismatch, sha256_hex};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// `AWS4-HMAC-SHA256 Credential=<key id>/<date>/<region>/<service>/aws4_request, SignedHeaders=..., Signature=...`
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) signature: &'a str,
    signed_headers: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn parse(headers: &'a HeaderMap) -> Result<Self, Denied> {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Err(Denied {
                code: "MissingAuthenticationTokenException",
                message: "Missing Authentication Token".to_owned(),
            });
        }
        let fields = single(headers, "authorization")
            .and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 "))
            .ok_or_else(|| incomplete("Unsupported AWS 'algorithm'"))?;

        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let (name, value) =
                field.trim().split_once('=').ok_or_else(|| incomplete("not a list of 'key=value'"))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(incomplete("unknown parameter")),
            };
            if slot.replace(value).is_some() {
                return Err(incomplete("repeated parameter"));
            }
        }
        let credential =
            credential.ok_or_else(|| incomplete("Authorization header requires 'Credential'"))?;
        let mut scope = credential.split('/');
        let (Some(access_key_id), Some(date), Some(region), Some(service), Some("aws4_request"), None) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next(), scope.next())
        else {
            return Err(incomplete("Credential must have exactly 5 slash-delimited elements"));
        };
        Ok(Authorization {
            access_key_id,
            date,
            region,
            service,
            signature: signature.ok_or_else(|| incomplete("Authorization header requires 'Signature'"))?,
            signed_headers: signed_headers
                .ok_or_else(|| incomplete("Authorization header requires 'SignedHeaders'"))?,
        })
    }

    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// `host` and every `x-amz-*` header have to be signed, or a relay could change them; and what is said to be
    /// signed has to be there, in order, once.
    pub(super) fn check_signed_headers(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let signed: Vec<&str> = self.signed_headers.split(';').collect();
        let required =
            headers.keys().map(header::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
        for name in required.chain(["host"]) {
            if !signed.contains(&name) {
                return Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Credentials.")));
            }
        }
        if !signed.is_sorted_by(|a, b| a < b) || signed.iter().any(|name| !headers.contains_key(*name)) {
            return Err(mismatch());
        }
        Ok(())
    }
}

/// Method, URI, query, headers, names of the signed headers, hash of the payload.
pub(super) fn request(request: &Signed<'_>, authorization: &Authorization<'_>) -> Result<String, Denied> {
    let payload_hash = sha256_hex(request.body);
    if let Some(declared) = request.headers.get("x-amz-content-sha256")
        && declared.as_bytes() != payload_hash.as_bytes()
    {
        return Err(invalid(
            "The value of 'x-amz-content-sha256' does not match the hash of the payload.".to_owned(),
        ));
    }
    let signed = authorization.signed_headers;
    let headers: String = signed
        .split(';')
        .map(|name| canonical_header(request.headers, name))
        .collect::<Option<_>>()
        .ok_or_else(mismatch)?;
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{payload_hash}",
        request.method,
        canonical_path(request.uri.path()),
        canonical_query(request.uri.query().unwrap_or_default()),
    ))
}

/// A header that may come once only.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// `20261122T170500Z`
pub(super) fn parse_date(text: &str) -> Option<SystemTime> {
    let shape = text.bytes().enumerate().all(|(i, byte)| match i {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    if !shape || text.len() != 16 {
        return None;
    }
    let (year, month, day) = (&text[..4], &text[4..6], &text[6..8]);
    let (hour, minute, second) = (&text[9..11], &text[11..13], &text[13..15]);
    let extended = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    SystemTime::try_from(DateTime::from_str(&extended, Format::DateTime).ok()?).ok()
}

pub(super) fn incomplete(message: &str) -> Denied {
    Denied { code: "IncompleteSignatureException", message: message.to_owned() }
}

/// Every service but S3 encodes the path a second time, after it has removed dot segments and empty ones.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let mut normalized = format!("/{}", segments.join("/"));
    if matches!(path.rsplit('/').next(), Some("" | "." | "..")) && !segments.is_empty() {
        normalized.push('/');
    }
    utf8_percent_encode(&normalized, RESERVED_IN_PATH).to_string()
}

/// Sorted by the encoded name, then by the encoded value; a name without a value gets an empty one.
fn canonical_query(query: &str) -> String {
    let encode = |part: &str| percent_encode(part.as_bytes(), RESERVED).to_string();
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Values trimmed, runs of spaces made one, several values joined by a comma.
fn canonical_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = std::str::from_utf8(value.as_bytes()).ok()?;
            Some(text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        })
        .collect::<Option<_>>()?;
    Some(format!("{name}:{}\n", values.join(",")))
}
