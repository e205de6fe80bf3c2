use std::collections::HashMap;

use serde_json::Value;

/// Somebody who signed in. The fields are private, so that nobody but this crate can say who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub(crate) sub: String,
    pub(crate) expires_at: Option<u64>,
}

/// A gateway's context that does not name a caller: a fault in the wiring, or a token that is not an access token.
#[derive(Debug, thiserror::Error)]
pub enum NotACaller {
    #[error("the context has no `{0}`")]
    Missing(&'static str),
    #[error("the token is not an access token of this app client")]
    WrongToken,
    #[error("the token has expired")]
    Expired,
}

impl Caller {
    /// The user pool's immutable id of the user, the claim `sub`.
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// Unix seconds after which the token is void. `None`: whoever vouches for the caller did not say.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// What our Lambda authorizer put into `requestContext.authorizer` of a WebSocket API. API Gateway keeps it
    /// for the life of the connection, up to two hours, so the token may have expired by `now` (Unix seconds).
    pub fn from_websocket_authorizer(context: &HashMap<String, Value>, now: u64) -> Result<Self, NotACaller> {
        let sub = context.get("sub").and_then(non_empty).ok_or(NotACaller::Missing("sub"))?;
        // API Gateway turns the context's numbers into strings.
        let expires_at = match context.get("exp") {
            Some(Value::String(text)) => text.parse().ok(),
            number => number.and_then(Value::as_u64),
        };
        let expires_at = expires_at.ok_or(NotACaller::Missing("exp"))?;
        if expires_at <= now {
            return Err(NotACaller::Expired);
        }
        Ok(Self { sub, expires_at: Some(expires_at) })
    }

    /// The identity that AppSync verified, with its `claims`. AppSync accepts id tokens as well, and tokens of
    /// every app client of the pool; we do not.
    pub fn from_appsync_identity(identity: &Value, client_id: &str) -> Result<Self, NotACaller> {
        let sub = non_empty(&identity["sub"]).ok_or(NotACaller::Missing("sub"))?;
        let claims = &identity["claims"];
        if claims["token_use"] != "access" || claims["client_id"] != client_id {
            return Err(NotACaller::WrongToken);
        }
        Ok(Self { sub, expires_at: claims["exp"].as_u64() })
    }

    /// The owner that `appsync-request` wrote into a queue to which nobody else may send.
    pub fn from_queued_owner(sub: String) -> Result<Self, NotACaller> {
        if sub.is_empty() {
            return Err(NotACaller::Missing("owner"));
        }
        Ok(Self { sub, expires_at: None })
    }
}

fn non_empty(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_websocket_context_must_name_a_caller_whose_token_still_lives() {
        let check = |context: Value| {
            let context = serde_json::from_value(context).unwrap();
            Caller::from_websocket_authorizer(&context, 100).map(|caller| caller.sub)
        };
        assert_eq!(check(json!({"sub": "ann", "exp": "101"})).unwrap(), "ann");
        assert_eq!(check(json!({"sub": "ann", "exp": 101})).unwrap(), "ann");
        for refused in [
            json!({"sub": "ann", "exp": "100"}),
            json!({"sub": "ann"}),
            json!({"sub": "ann", "exp": "soon"}),
            json!({"sub": "", "exp": "101"}),
            json!({"exp": "101"}),
            json!({}),
        ] {
            assert!(check(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn an_appsync_identity_must_come_from_an_access_token_of_our_client() {
        let identity = |token_use: &str, client: &str| json!({"sub": "ann", "claims": {"token_use": token_use, "client_id": client}});
        let check = |identity: &Value| Caller::from_appsync_identity(identity, "ours").is_ok();
        assert!(check(&identity("access", "ours")));
        assert!(!check(&identity("id", "ours")), "an id token");
        assert!(!check(&identity("access", "theirs")), "another app client");
        assert!(!check(&json!({"claims": {"token_use": "access", "client_id": "ours"}})), "no sub");
        assert!(!check(&json!(null)), "no identity, such as a call signed with IAM");
    }
}
