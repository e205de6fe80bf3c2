use std::fmt;

use http::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    DEFAULT_TIMEOUT, ProbeError, Settings, net,
    settings::require,
    srp::{self, Challenge, Exchange},
};

const PASSWORD_VERIFIER: &str = "PASSWORD_VERIFIER";

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

/// Signs in to an app client without a secret, the way that `VITE_AUTH_FLOW` names: by default with SRP, as browsers do,
/// which does not send the password.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html>
pub async fn sign_in(settings: &Settings, user: &str, password: &str) -> Result<Tokens, ProbeError> {
    let endpoint = require(&settings.user_pool_endpoint, "VITE_USER_POOL_ENDPOINT (or VITE_AWS_REGION)")?;
    if settings.user_pool_client_id.is_empty() {
        return Err(ProbeError::MissingSetting("VITE_USER_POOL_CLIENT_ID"));
    }
    let client = Client { http: net::Http::new(&endpoint)?, id: &settings.user_pool_client_id };
    let flow = async {
        match settings.auth_flow.as_str() {
            "" | "USER_SRP_AUTH" => client.srp(pool_name(settings)?, user, password).await,
            "USER_PASSWORD_AUTH" => client.password(user, password).await,
            other => Err(ProbeError::InvalidSetting {
                key: "VITE_AUTH_FLOW",
                value: other.to_owned(),
                allowed: "USER_SRP_AUTH or USER_PASSWORD_AUTH",
            }),
        }
    };
    let (status, answer) = net::within(DEFAULT_TIMEOUT, "the sign-in", flow).await?;
    tokens(status, &answer)
}

/// The part of the pool's id that SRP mixes into its hashes.
fn pool_name(settings: &Settings) -> Result<&str, ProbeError> {
    let id = settings.user_pool_id.as_str();
    if id.is_empty() {
        return Err(ProbeError::MissingSetting("VITE_USER_POOL_ID (which USER_SRP_AUTH needs)"));
    }
    let name = id.split_once('_').map(|(_, name)| name).filter(|name| !name.is_empty());
    name.ok_or_else(|| ProbeError::InvalidSetting {
        key: "VITE_USER_POOL_ID",
        value: id.to_owned(),
        allowed: "a region, `_` and a name",
    })
}

/// The app client, and how to reach its user pool.
struct Client<'a> {
    http: net::Http,
    id: &'a str,
}

impl Client<'_> {
    async fn password(&self, user: &str, password: &str) -> Result<(u16, Value), ProbeError> {
        self.initiate("USER_PASSWORD_AUTH", &json!({"USERNAME": user, "PASSWORD": password})).await
    }

    async fn srp(&self, pool_name: &str, user: &str, password: &str) -> Result<(u16, Value), ProbeError> {
        let exchange = Exchange::begin();
        let asked = json!({"USERNAME": user, "SRP_A": exchange.public()});
        let (status, answer) = self.initiate("USER_SRP_AUTH", &asked).await?;
        if answer["ChallengeName"] != PASSWORD_VERIFIER {
            return Ok((status, answer));
        }
        let parameter = |name: &str| {
            answer["ChallengeParameters"][name]
                .as_str()
                .ok_or_else(|| srp::wrong(&format!("it has no {name}")))
        };
        // Not what the user typed, which may be an email address.
        let user_id = parameter("USER_ID_FOR_SRP")?;
        let secret_block = parameter("SECRET_BLOCK")?;
        let challenge =
            Challenge { user_id, salt: parameter("SALT")?, server: parameter("SRP_B")?, secret_block };
        let timestamp = srp::timestamp(OffsetDateTime::now_utc());
        let signature = exchange.signature(&challenge, pool_name, password, &timestamp)?;
        let mut response = json!({
            "ChallengeName": PASSWORD_VERIFIER,
            "ClientId": self.id,
            "ChallengeResponses": {
                "USERNAME": user_id,
                "PASSWORD_CLAIM_SECRET_BLOCK": secret_block,
                "PASSWORD_CLAIM_SIGNATURE": signature,
                "TIMESTAMP": timestamp,
            },
        });
        if answer["Session"].is_string() {
            response["Session"] = answer["Session"].clone();
        }
        self.call("RespondToAuthChallenge", &response).await
    }

    async fn initiate(&self, flow: &str, parameters: &Value) -> Result<(u16, Value), ProbeError> {
        let body = json!({"AuthFlow": flow, "ClientId": self.id, "AuthParameters": parameters});
        self.call("InitiateAuth", &body).await
    }

    async fn call(&self, action: &str, body: &Value) -> Result<(u16, Value), ProbeError> {
        let target = format!("AWSCognitoIdentityProviderService.{action}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
        let (status, _, answer) = self.http.exchange(Method::POST, &headers, body.to_string()).await?;
        Ok((status, net::json_or_null(&answer)))
    }
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
