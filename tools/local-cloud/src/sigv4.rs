//! IAM as far as the suite needs it: temporary credentials per function, Signature Version 4 checked on every
//! call, and the actions that each function's role allows.
//!
//! The rules are those of "Create a signed AWS API request" in the IAM User Guide, for the `Authorization`
//! header. Absent on purpose: presigned queries, chunked and unsigned payloads, `SigV4a`, resource ARNs.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use http::{HeaderMap, Method, Uri};
use rsa::rand_core::{OsRng, RngCore};
use sha2::Sha256;
use subtle::ConstantTimeEq;

mod canonical;
#[cfg(test)]
pub(crate) mod testing;

/// The one region of this cloud.
pub const REGION: &str = "us-east-1";

/// The one account.
pub const ACCOUNT_ID: &str = "000000000000";

/// How far `x-amz-date` may be from the service's clock, in either direction.
const MAX_SKEW: Duration = Duration::from_mins(5);

/// What Lambda puts into a function's environment.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
}

/// The known credentials and what each may do. Cheap to clone.
#[derive(Clone, Default)]
pub struct Identities {
    by_access_key_id: Arc<RwLock<HashMap<String, Identity>>>,
}

/// Who signed a request.
#[derive(Debug, Clone)]
pub struct Principal {
    pub name: String,
}

/// Why a call is refused, with AWS's error code.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Denied {
    pub code: &'static str,
    pub message: String,
}

impl Identities {
    /// New credentials for a role that allows `actions` (such as `sqs:SendMessage`).
    pub fn issue(&self, name: &str, actions: &[&str]) -> Credentials {
        let credentials = Credentials {
            access_key_id: format!("ASIA{}", random_id()),
            secret_access_key: STANDARD.encode(random::<30>()),
            session_token: STANDARD.encode(random::<96>()),
        };
        let identity = Identity {
            name: name.to_owned(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            credentials: credentials.clone(),
        };
        self.by_access_key_id
            .write()
            .expect("the identities' lock")
            .insert(credentials.access_key_id.clone(), identity);
        credentials
    }

    /// Checks signature, time, session token and scope (`region`/`service`/`aws4_request`) of a request, and that
    /// its principal may do `action`.
    pub fn authorize(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        service: &str,
        action: &str,
    ) -> Result<Principal, Denied> {
        self.authorize_all(method, uri, headers, body, service, &[action])
    }

    /// The same for a call that does several things.
    pub fn authorize_all(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        service: &str,
        actions: &[&str],
    ) -> Result<Principal, Denied> {
        let request = Signed { method, uri, headers, body };
        let identity = self.authenticate(&request, service, SystemTime::now())?;
        let Some(action) = actions.iter().find(|action| !identity.actions.contains(**action)) else {
            return Ok(Principal { name: identity.name });
        };
        Err(Denied {
            code: "AccessDeniedException",
            message: format!(
                "User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/{name}/{name} is not authorized to perform: {action} \
                 because no identity-based policy allows the {action} action",
                name = identity.name
            ),
        })
    }

    fn authenticate(&self, request: &Signed<'_>, service: &str, now: SystemTime) -> Result<Identity, Denied> {
        let authorization = canonical::Authorization::parse(request.headers)?;
        let identity = self
            .by_access_key_id
            .read()
            .expect("the identities' lock")
            .get(authorization.access_key_id)
            .cloned()
            .ok_or_else(unrecognized)?;
        let token = canonical::single(request.headers, "x-amz-security-token").ok_or_else(unrecognized)?;
        if !bool::from(token.as_bytes().ct_eq(identity.credentials.session_token.as_bytes())) {
            return Err(unrecognized());
        }

        let date = canonical::single(request.headers, "x-amz-date")
            .ok_or_else(|| canonical::incomplete("Authorization header requires 'X-Amz-Date'"))?;
        check_time(date, now)?;
        check_scope(&authorization, date, service)?;
        authorization.check_signed_headers(request.headers)?;

        let canonical_request = canonical::request(request, &authorization)?;
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
            authorization.scope(),
            sha256_hex(&canonical_request)
        );
        let key = signing_key(&identity.credentials.secret_access_key, &authorization);
        let signature = unhex(authorization.signature).ok_or_else(mismatch)?;
        // `verify_slice` compares in constant time.
        hmac(&key, string_to_sign.as_bytes()).verify_slice(&signature).map_err(|_| mismatch())?;
        Ok(identity)
    }
}

impl fmt::Debug for Credentials {
    /// The secret and the token stay out of every log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Identity {
    name: String,
    actions: HashSet<String>,
    credentials: Credentials,
}

/// The parts of a request that a signature covers.
struct Signed<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

fn check_time(date: &str, now: SystemTime) -> Result<(), Denied> {
    let signed_at = canonical::parse_date(date).ok_or_else(|| {
        canonical::incomplete("Date must be in ISO-8601 'basic format'. See ISO-8601: YYYYMMDD'T'HHMMSS'Z'")
    })?;
    let skew = match now.duration_since(signed_at) {
        Ok(behind) => behind,
        Err(ahead) => ahead.duration(),
    };
    if skew > MAX_SKEW {
        let problem = if now > signed_at { "Signature expired" } else { "Signature not yet current" };
        return Err(invalid(format!("{problem}: {date} is more than 5 min. from the time of this service.")));
    }
    Ok(())
}

fn check_scope(
    authorization: &canonical::Authorization<'_>,
    date: &str,
    service: &str,
) -> Result<(), Denied> {
    let wrong = |what: String| Err(invalid(format!("Credential should be scoped {what}.")));
    if !date.starts_with(authorization.date) {
        return wrong("with the date of 'X-Amz-Date'".to_owned());
    }
    if authorization.region != REGION {
        return wrong(format!("to a valid region: '{REGION}'"));
    }
    if authorization.service != service {
        return wrong(format!("to correct service: '{service}'"));
    }
    Ok(())
}

fn signing_key(secret: &str, scope: &canonical::Authorization<'_>) -> Vec<u8> {
    [scope.date, scope.region, scope.service, "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            hmac(&key, part.as_bytes()).finalize().into_bytes().to_vec()
        })
}

fn hmac(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac
}

fn sha256_hex(data: impl AsRef<[u8]>) -> String {
    hex(&<Sha256 as sha2::Digest>::digest(data))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a lower-case hexadecimal string: AWS takes no other spelling.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Cryptographically secure bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

fn random_id() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    random::<16>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn unrecognized() -> Denied {
    Denied {
        code: "UnrecognizedClientException",
        message: "The security token included in the request is invalid.".to_owned(),
    }
}

fn mismatch() -> Denied {
    invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details."
            .to_owned(),
    )
}

fn invalid(message: String) -> Denied {
    Denied { code: "InvalidSignatureException", message }
}

#[cfg(test)]
mod tests;
