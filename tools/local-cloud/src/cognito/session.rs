//! Sign-ins and the tokens that come of them ("Understanding user pool JSON web tokens").

use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{CLIENT_ID, User, UserPool, error::CognitoError};
use crate::sigv4::random;

/// How long access and id tokens live, in seconds.
const LIFETIME: u64 = 3600;

/// One sign-in; every refresh belongs to it.
#[derive(Clone)]
pub(super) struct Session {
    username: String,
    /// `origin_jti`: what a revocation names.
    origin: String,
    auth_time: u64,
    revoked: bool,
}

impl UserPool {
    pub(super) fn sign_in(&self, name: &str, password: &str) -> Result<Value, CognitoError> {
        let user = self.inner.users.iter().find(|user| user.username == name || user.email == name);
        let matches = |user: &&User| bool::from(user.password.as_bytes().ct_eq(password.as_bytes()));
        // A wrong password and an unknown user look alike: `prevent_user_existence_errors`.
        let user =
            user.filter(matches).ok_or(CognitoError::NotAuthorized("Incorrect username or password."))?;
        let session = Session {
            username: user.username.clone(),
            origin: Uuid::new_v4().to_string(),
            auth_time: now(),
            revoked: false,
        };
        let refresh_token = URL_SAFE_NO_PAD.encode(random::<192>());
        let mut tokens = self.tokens(&session)?;
        tokens["RefreshToken"] = refresh_token.as_str().into();
        self.sessions().insert(refresh_token, session);
        Ok(tokens)
    }

    /// New tokens without a new refresh token: rotation is off.
    pub(super) fn refresh(&self, refresh_token: &str) -> Result<Value, CognitoError> {
        let session = self.sessions().get(refresh_token).cloned();
        let session = session.ok_or(CognitoError::NotAuthorized("Invalid Refresh Token"))?;
        if session.revoked {
            return Err(CognitoError::NotAuthorized("Refresh Token has been revoked"));
        }
        self.tokens(&session)
    }

    /// An unknown token is no error (RFC 7009, section 2.2).
    pub(super) fn revoke(&self, refresh_token: &str) {
        if let Some(session) = self.sessions().get_mut(refresh_token) {
            session.revoked = true;
        }
    }

    pub(super) fn sign_out_everywhere(&self, username: &str) {
        for session in self.sessions().values_mut().filter(|session| session.username == username) {
            session.revoked = true;
        }
    }

    /// Whose access token it is, as Cognito's own operations check it: unlike other services they know of
    /// revocations.
    pub(super) fn user_of(&self, access_token: &str) -> Result<&User, CognitoError> {
        let invalid = CognitoError::NotAuthorized("Invalid Access Token");
        let claims = self.keys().verify(access_token).ok_or(invalid.clone())?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("token_use") != Some("access") || text("iss") != Some(&self.inner.issuer) {
            return Err(invalid);
        }
        if claims.get("exp").and_then(Value::as_u64).is_none_or(|exp| exp <= now()) {
            return Err(CognitoError::NotAuthorized("Access Token has expired"));
        }
        let origin = text("origin_jti");
        if self.sessions().values().any(|session| session.revoked && origin == Some(&session.origin)) {
            return Err(CognitoError::NotAuthorized("Access Token has been revoked"));
        }
        self.inner.users.iter().find(|user| text("username") == Some(&user.username)).ok_or(invalid)
    }

    fn tokens(&self, session: &Session) -> Result<Value, CognitoError> {
        let user = self.inner.users.iter().find(|user| user.username == session.username);
        let user = user.ok_or(CognitoError::NotAuthorized("User does not exist."))?;
        let (issued, event_id) = (now(), Uuid::new_v4().to_string());
        let token = |token_use: &str, own: Value| {
            let mut claims = object(json!({
                "sub": user.sub,
                "iss": self.inner.issuer,
                "origin_jti": session.origin,
                "event_id": event_id,
                "token_use": token_use,
                "auth_time": session.auth_time,
                "exp": issued + LIFETIME,
                "iat": issued,
                "jti": Uuid::new_v4().to_string(),
            }));
            claims.extend(object(own));
            self.sign(&claims.into())
        };
        let access = json!({
            "client_id": CLIENT_ID,
            "scope": "aws.cognito.signin.user.admin",
            "username": user.username,
        });
        let id = json!({
            "aud": CLIENT_ID,
            "cognito:username": user.username,
            "email": user.email,
            "email_verified": true,
        });
        Ok(json!({
            "AccessToken": token("access", access),
            "IdToken": token("id", id),
            "ExpiresIn": LIFETIME,
            "TokenType": "Bearer",
        }))
    }
}

/// Seconds since the Unix epoch, the unit of JWT dates.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
