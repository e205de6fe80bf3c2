//! Who calls, and by which of the API's authorization modes: Cognito user pools (the default) and IAM.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use serde_json::{Map, Value, json};

use crate::{
    cognito::UserPool,
    sigv4::{Denied, Identities, Principal},
};

/// How a caller was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Cognito,
    Iam,
}

/// The services that know tokens and signatures.
pub(crate) trait Authority: Send + Sync {
    /// The claims of a good token, access or id.
    fn cognito(&self, token: &str) -> Option<Map<String, Value>>;

    fn iam(&self, request: &SignedRequest, action: &str) -> Result<Principal, Denied>;
}

/// A request as it was signed.
#[derive(Debug, Clone)]
pub(crate) struct SignedRequest {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An authenticated caller.
#[derive(Debug)]
pub(crate) enum Caller {
    Cognito(Map<String, Value>),
    /// What the role may do is asked per field.
    Iam(SignedRequest),
}

/// Answered with 401, AppSync's error type and its sentence.
#[derive(Debug, PartialEq)]
pub(crate) struct Unauthenticated {
    pub(crate) error_type: &'static str,
    pub(crate) message: String,
}

impl Caller {
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::Cognito(_) => Mode::Cognito,
            Self::Iam(_) => Mode::Iam,
        }
    }

    /// `ctx.identity` ("AWS AppSync JavaScript resolver context object reference").
    pub(crate) fn identity(&self, authority: &dyn Authority, action: &str) -> Option<Value> {
        match self {
            Self::Cognito(claims) => Some(json!({
                "sub": claims.get("sub"),
                "issuer": claims.get("iss"),
                "username": claims.get("username").or_else(|| claims.get("cognito:username")),
                "claims": claims,
                "sourceIp": ["127.0.0.1"],
                "defaultAuthStrategy": "ALLOW",
                "groups": claims.get("cognito:groups"),
            })),
            Self::Iam(request) => authority.iam(request, action).ok().map(|principal| {
                json!({
                    "accountId": "000000000000",
                    "userArn": format!("arn:aws:sts::000000000000:assumed-role/{0}/{0}", principal.name),
                    "username": principal.name,
                    "sourceIp": ["127.0.0.1"],
                    "cognitoIdentityPoolId": null,
                    "cognitoIdentityId": null,
                    "cognitoIdentityAuthType": null,
                    "cognitoIdentityAuthProvider": null,
                })
            }),
        }
    }
}

/// Authenticates a request by its Authorization header: a bare token, or a signature.
pub(crate) fn authenticate(
    authority: &dyn Authority,
    request: SignedRequest,
) -> Result<Caller, Unauthenticated> {
    let header = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header.is_empty() {
        return Err(Unauthenticated::new("Valid authorization header not provided."));
    }
    if !header.starts_with("AWS4-HMAC-SHA256") {
        return authenticate_token(authority, header);
    }
    match authority.iam(&request, "appsync:GraphQL") {
        // Denied, but a good signature: a role is granted single fields, so each field asks for itself.
        Ok(_) | Err(Denied { code: "AccessDeniedException", .. }) => Ok(Caller::Iam(request)),
        Err(Denied { code, message }) => Err(Unauthenticated { error_type: code, message }),
    }
}

/// AppSync takes the token as it is. A `Bearer` scheme is refused, as AWS support articles warn.
pub(crate) fn authenticate_token(authority: &dyn Authority, token: &str) -> Result<Caller, Unauthenticated> {
    let claims = if token.contains(char::is_whitespace) { None } else { authority.cognito(token) };
    claims
        .map(Caller::Cognito)
        .ok_or_else(|| Unauthenticated::new("You are not authorized to make this call."))
}

impl Unauthenticated {
    fn new(message: &str) -> Self {
        Self { error_type: "UnauthorizedException", message: message.to_owned() }
    }
}

/// The local Cognito and IAM.
pub(crate) struct Services {
    pub(crate) user_pool: UserPool,
    pub(crate) identities: Identities,
}

impl Authority for Services {
    fn cognito(&self, token: &str) -> Option<Map<String, Value>> {
        self.user_pool.verify(token)
    }

    fn iam(&self, request: &SignedRequest, action: &str) -> Result<Principal, Denied> {
        let SignedRequest { method, uri, headers, body } = request;
        self.identities.authorize(method, uri, headers, body, "appsync", action)
    }
}
