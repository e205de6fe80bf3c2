use crate::{
    Caller,
    jwks::{FetchJwks, Jwks, JwksUnavailable},
    token,
};

/// Whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://cognito-idp.<region>.amazonaws.com/<pool id>`, compared to the claim `iss` to the letter.
    pub issuer: String,
    /// The app client, compared to the claim `client_id`.
    pub client_id: String,
}

/// Verifies the access tokens of one user pool and app client.
pub struct Verifier<F> {
    settings: Settings,
    jwks: Jwks<F>,
}

/// Why a token is refused. For the log; the caller is told only that it is.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("the token is not a JWT of the expected form")]
    Malformed,
    #[error("the token is too long")]
    TooLong,
    #[error("the token is not signed with RS256")]
    WrongAlgorithm,
    #[error("the token's header brings its own key or rules")]
    SuspiciousHeader,
    #[error("the token's key is not one of the user pool's")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    WrongSignature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token was issued by somebody else")]
    WrongIssuer,
    #[error("the token was issued to another app client")]
    WrongClient,
    #[error("the token is not an access token")]
    NotAnAccessToken,
    /// Not the token's fault. Carries the cause when this very request tried to fetch the keys.
    #[error("the token cannot be judged without the user pool's keys")]
    KeysUnavailable(#[source] Option<JwksUnavailable>),
}

impl AuthError {
    /// Whether nobody knows if the token is good: to be answered as an outage, not as a refusal.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::KeysUnavailable(_))
    }
}

impl<F: FetchJwks> Verifier<F> {
    pub fn new(settings: Settings, fetch: F) -> Self {
        Self { settings, jwks: Jwks::new(fetch) }
    }

    /// Who the bearer of this access token is.
    pub async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let kid = token::key_id(token)?;
        let key = self.jwks.key(&kid).await?;
        token::verify(token, &key, &self.settings)
    }
}
