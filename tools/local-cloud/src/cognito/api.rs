//! The operations, in the AWS JSON 1.1 protocol ("Amazon Cognito user pools API Reference"), for callers in a
//! browser.

use std::sync::atomic::Ordering;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CLIENT_ID, User, UserPool, error::CognitoError};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-amzn-requestid,x-amzn-errortype,x-amzn-errormessage,date");

pub(super) fn router(pool: UserPool) -> Router {
    Router::new()
        .route("/", post(operation))
        .route("/{pool_id}/.well-known/jwks.json", get(jwks))
        .layer(middleware::from_fn(cors))
        .with_state(pool)
}

/// A browser on another origin calls this endpoint, so every answer and every refusal is readable to all, as
/// Cognito's are; a preflight is answered before any route is looked for.
async fn cors(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let mut response = StatusCode::OK.into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            asked.unwrap_or(HeaderValue::from_static("content-type,x-amz-target,x-amz-user-agent")),
        );
        headers
            .insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET,POST,OPTIONS,HEAD"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800"));
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    let id = HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is visible ASCII");
    headers.insert(REQUEST_ID, id);
    response
}

async fn jwks(State(pool): State<UserPool>, Path(pool_id): Path<String>) -> Response {
    if pool_id != pool.pool_id() {
        let message = format!("User pool {pool_id} does not exist.");
        return (StatusCode::NOT_FOUND, Json(json!({"message": message}))).into_response();
    }
    pool.inner.jwks_fetches.fetch_add(1, Ordering::SeqCst);
    if pool.inner.jwks_down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(pool.jwks()).into_response()
}

async fn operation(State(pool): State<UserPool>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = match dispatch(&pool, target, &body) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_response(),
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    response
}

fn dispatch(pool: &UserPool, target: &str, body: &[u8]) -> Result<Value, CognitoError> {
    match target.strip_prefix("AWSCognitoIdentityProviderService.") {
        Some("InitiateAuth") => initiate_auth(pool, parse(body)?),
        Some("GetTokensFromRefreshToken") => get_tokens_from_refresh_token(pool, &parse(body)?),
        Some("RevokeToken") => revoke_token(pool, &parse(body)?),
        Some("GetUser") => get_user(pool, &parse(body)?),
        Some("GlobalSignOut") => global_sign_out(pool, &parse(body)?),
        _ => Err(CognitoError::UnknownOperation(target.to_owned())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateAuth {
    auth_flow: Option<String>,
    client_id: Option<String>,
    #[serde(default)]
    auth_parameters: AuthParameters,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct AuthParameters {
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "REFRESH_TOKEN")]
    refresh_token: Option<String>,
}

fn initiate_auth(pool: &UserPool, request: InitiateAuth) -> Result<Value, CognitoError> {
    check_client(request.client_id.as_deref())?;
    let AuthParameters { username, password, refresh_token } = request.auth_parameters;
    let result = match required(request.auth_flow.as_deref(), "AuthFlow")? {
        "USER_PASSWORD_AUTH" => pool.sign_in(
            required(username.as_deref(), "USERNAME")?,
            required(password.as_deref(), "PASSWORD")?,
        )?,
        "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
            pool.refresh(required(refresh_token.as_deref(), "REFRESH_TOKEN")?)?
        }
        other => {
            return Err(CognitoError::InvalidParameter(format!(
                "The flow {other} is not available in this local pool: use USER_PASSWORD_AUTH."
            )));
        }
    };
    Ok(json!({"AuthenticationResult": result, "ChallengeParameters": {}}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetTokensFromRefreshToken {
    client_id: Option<String>,
    refresh_token: Option<String>,
}

fn get_tokens_from_refresh_token(
    pool: &UserPool,
    request: &GetTokensFromRefreshToken,
) -> Result<Value, CognitoError> {
    check_client(request.client_id.as_deref())?;
    let result = pool.refresh(required(request.refresh_token.as_deref(), "RefreshToken")?)?;
    Ok(json!({"AuthenticationResult": result}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RevokeToken {
    client_id: Option<String>,
    token: Option<String>,
}

fn revoke_token(pool: &UserPool, request: &RevokeToken) -> Result<Value, CognitoError> {
    check_client(request.client_id.as_deref())?;
    let token = required(request.token.as_deref(), "Token")?;
    if pool.keys().verify(token).is_some() {
        return Err(CognitoError::UnsupportedTokenType);
    }
    pool.revoke(token);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WithAccessToken {
    access_token: Option<String>,
}

fn get_user(pool: &UserPool, request: &WithAccessToken) -> Result<Value, CognitoError> {
    let User { username, email, sub, .. } =
        pool.user_of(required(request.access_token.as_deref(), "AccessToken")?)?;
    let attributes: Vec<Value> = [("sub", sub.as_str()), ("email", email), ("email_verified", "true")]
        .map(|(name, value)| json!({"Name": name, "Value": value}))
        .into();
    Ok(json!({"Username": username, "UserAttributes": attributes}))
}

fn global_sign_out(pool: &UserPool, request: &WithAccessToken) -> Result<Value, CognitoError> {
    let user = pool.user_of(required(request.access_token.as_deref(), "AccessToken")?)?;
    pool.sign_out_everywhere(&user.username);
    Ok(json!({}))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, CognitoError> {
    // serde's own words may quote a password.
    serde_json::from_slice(body).map_err(|_| CognitoError::Serialization)
}

fn check_client(client_id: Option<&str>) -> Result<(), CognitoError> {
    match required(client_id, "ClientId")? {
        CLIENT_ID => Ok(()),
        other => Err(CognitoError::UnknownClient(other.to_owned())),
    }
}

fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, CognitoError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| CognitoError::InvalidParameter(format!("Missing required parameter {name}")))
}
