//! One token against one key: everything but where the key comes from.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, errors::ErrorKind};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{AuthError, Caller, Settings, object::object, rs256};

/// A Cognito access token is about 1 KB, and grows with the user's groups. API Gateway's and Lambda's own header
/// limits are not much higher; what is longer is not worth hashing.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Clocks differ a little.
const LEEWAY_SECONDS: u64 = 5;

/// The `kid` of a token that is worth looking up a key for.
pub(crate) fn key_id(token: &str) -> Result<String, AuthError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(AuthError::TooLong);
    }
    let [header, _, _] = parts(token)?;
    // Not jsonwebtoken's `Header`, which takes `null` for absent and lets `alg` be an object.
    let header = object(header).ok_or(AuthError::Malformed)?;
    match header.get("alg") {
        Some(Value::String(alg)) if alg == "RS256" => {}
        Some(Value::String(_)) => return Err(AuthError::WrongAlgorithm),
        _ => return Err(AuthError::Malformed),
    }
    if NOT_OURS.iter().any(|member| header.contains_key(*member)) {
        return Err(AuthError::SuspiciousHeader);
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(typ)) if may_be_an_access_token(typ) => {}
        Some(Value::String(_)) => return Err(AuthError::NotAnAccessToken),
        Some(_) => return Err(AuthError::Malformed),
    }
    match header.get("kid") {
        Some(Value::String(kid)) if !kid.is_empty() => Ok(kid.clone()),
        None | Some(Value::String(_)) => Err(AuthError::UnknownKey),
        Some(_) => Err(AuthError::Malformed),
    }
}

fn parts(token: &str) -> Result<[&str; 3], AuthError> {
    let mut parts = token.split('.');
    match std::array::from_fn(|_| parts.next()) {
        [Some(header), Some(claims), Some(signature), None] => Ok([header, claims, signature]),
        _ => Err(AuthError::Malformed),
    }
}

/// A user pool's header holds `kid` and `alg`. One that brings a key or says where to get one, names an extension
/// that must be understood, or has the rest read as something else than signed claims was made by somebody else,
/// whatever the member's value (RFC 7515, section 4.1; RFC 7516, section 9; RFC 7519, section 5.2; RFC 7797).
const NOT_OURS: [&str; 9] = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "cty", "enc", "zip"];

/// A user pool leaves `typ` out, and it decides nothing for a JWS (RFC 7515, section 4.1.9). But a token that says
/// it is another kind of JWT is not to be mistaken for this kind (RFC 8725, section 3.11).
fn may_be_an_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt" | "jose")
}

/// Checks signature and claims.
pub(crate) fn verify(token: &str, key: &DecodingKey, settings: &Settings) -> Result<Caller, AuthError> {
    rs256::install();
    // jsonwebtoken's defaults let a token pass without `iss` and ignore `nbf`; with `Claims` typed strictly
    // below, an `iss` that is an array does not get through either.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss"]);
    validation.set_issuer(&[&settings.issuer]);
    // An access token has no audience; the app client is in `client_id`.
    validation.validate_aud = false;
    let claims = decode::<Claims>(token, key, &validation).map_err(|error| refusal(&error))?.claims;
    let [_, payload, _] = parts(token)?;
    if object(payload).is_none() {
        return Err(AuthError::Malformed);
    }
    if claims.iss != settings.issuer {
        return Err(AuthError::WrongIssuer);
    }
    if claims.token_use != "access" {
        return Err(AuthError::NotAnAccessToken);
    }
    if claims.client_id.as_deref() != Some(settings.client_id.as_str()) {
        return Err(AuthError::WrongClient);
    }
    if claims.sub.is_empty() {
        return Err(AuthError::Malformed);
    }
    Ok(Caller { sub: claims.sub, expires_at: Some(claims.exp) })
}

/// What we read of an access token
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html>).
/// A claim twice, or of another type, is an error.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    token_use: String,
    /// Absent from id tokens, which should be told what they are.
    client_id: Option<String>,
    exp: u64,
    #[serde(rename = "nbf", default, deserialize_with = "seconds")]
    _not_before: Option<u64>,
    #[serde(rename = "iat", default, deserialize_with = "seconds")]
    _issued_at: Option<u64>,
}

/// A claim that is there is a time: serde alone would take `null` for absent.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}

fn refusal(error: &jsonwebtoken::errors::Error) -> AuthError {
    match error.kind() {
        ErrorKind::InvalidSignature => AuthError::WrongSignature,
        ErrorKind::ExpiredSignature => AuthError::Expired,
        ErrorKind::ImmatureSignature => AuthError::NotYetValid,
        ErrorKind::InvalidIssuer => AuthError::WrongIssuer,
        ErrorKind::InvalidAlgorithm => AuthError::WrongAlgorithm,
        // The enum is open, and whatever else it says, the token is refused.
        _ => AuthError::Malformed,
    }
}
