use std::fmt;

use serde_json::{Value, json};

use crate::{DEFAULT_TIMEOUT, ProbeError, Settings, net, settings::require};

/// What Cognito hands out. The architectures accept the access token only.
#[derive(Clone)]
pub struct Tokens {
    pub access: String,
    pub id: String,
    pub refresh: String,
}

/// Bearer secrets must not reach a log through `{:?}`.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// Cognito's `InitiateAuth` with the flow `USER_PASSWORD_AUTH`, for an app client without a secret.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html>
pub async fn sign_in(settings: &Settings, user: &str, password: &str) -> Result<Tokens, ProbeError> {
    let endpoint = require(&settings.user_pool_endpoint, "VITE_USER_POOL_ENDPOINT (or VITE_AWS_REGION)")?;
    if settings.user_pool_client_id.is_empty() {
        return Err(ProbeError::MissingSetting("VITE_USER_POOL_CLIENT_ID"));
    }
    let body = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": settings.user_pool_client_id,
        "AuthParameters": {"USERNAME": user, "PASSWORD": password},
    });
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth"),
    ];
    let http = net::Http::new(&endpoint)?;
    let exchange = http.exchange(&headers, body.to_string());
    let (status, _, answer) = net::within(DEFAULT_TIMEOUT, "the sign-in", exchange).await?;
    tokens(status, &serde_json::from_slice(&answer).unwrap_or(Value::Null))
}

fn tokens(status: u16, answer: &Value) -> Result<Tokens, ProbeError> {
    let refused = |reason| {
        Err(ProbeError::Refused { what: "sign-in", status: (status != 200).then_some(status), reason })
    };
    if let Some(challenge) = answer["ChallengeName"].as_str() {
        return refused(format!("the user pool asks for {challenge} first"));
    }
    let result = &answer["AuthenticationResult"];
    let token = |name: &str| result[name].as_str().map(str::to_owned);
    match (status, token("AccessToken"), token("IdToken"), token("RefreshToken")) {
        (200, Some(access), Some(id), Some(refresh)) => Ok(Tokens { access, id, refresh }),
        (200, _, _, _) => refused("Cognito's answer has no tokens".to_owned()),
        (_, _, _, _) => refused(net::said(answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_and_refusals_worded() {
        let all = json!({"AuthenticationResult": {"AccessToken": "a", "IdToken": "i", "RefreshToken": "r"}});
        let read = tokens(200, &all).expect("complete");
        assert_eq!((&*read.access, &*read.id, &*read.refresh), ("a", "i", "r"));
        assert_eq!(format!("{read:?}"), "Tokens(..)");
        for (status, answer, complaint) in [
            (
                400,
                json!({"__type": "NotAuthorizedException", "message": "Incorrect username or password."}),
                "sign-in refused (HTTP 400): NotAuthorizedException: Incorrect username or password.",
            ),
            (
                200,
                json!({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s"}),
                "sign-in refused: the user pool asks for NEW_PASSWORD_REQUIRED first",
            ),
            (200, json!({}), "sign-in refused: Cognito's answer has no tokens"),
            (502, Value::Null, "sign-in refused (HTTP 502): no reason given"),
        ] {
            assert_eq!(tokens(status, &answer).expect_err("must fail").to_string(), complaint);
        }
    }
}
