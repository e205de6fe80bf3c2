//! One token against one key: everything but where the key comes from.

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;

use crate::{AuthError, Caller, Settings, rs256};

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
    let header = decode_header(token).map_err(|_| AuthError::Malformed)?;
    if header.alg != Algorithm::RS256 {
        return Err(AuthError::WrongAlgorithm);
    }
    if brings_its_own_rules(&header) {
        return Err(AuthError::SuspiciousHeader);
    }
    header.kid.filter(|kid| !kid.is_empty()).ok_or(AuthError::UnknownKey)
}

/// A user pool's header holds `kid` and `alg`. A header that brings a key, or says where to get one, or names an
/// extension that must be understood (RFC 7515, section 4.1), was made by somebody else.
fn brings_its_own_rules(header: &Header) -> bool {
    header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some()
        || header.extras.inner().contains_key("b64")
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
    #[serde(rename = "nbf")]
    _not_before: Option<u64>,
    #[serde(rename = "iat")]
    _issued_at: Option<u64>,
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
