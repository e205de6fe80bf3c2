//! The REQUEST authorizer: its event, its policy, its context.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL, request::Parts};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Api, connection::Client, events};
use crate::lambda::InvokeError;

/// API Gateway's limit on what an authorizer returns, in bytes.
const MAX_RESULT: usize = 8 * 1024;

/// The `requestContext.authorizer` of every later event, or the status of the refusal.
pub(super) async fn authorize(
    api: &Api,
    client: &Client,
    head: &Parts,
) -> Result<Map<String, Value>, StatusCode> {
    // The identity source: without it the function is not even asked.
    if head.headers.get(SEC_WEBSOCKET_PROTOCOL).is_none_or(HeaderValue::is_empty) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let stage = &api.config.stage;
    let event = events::authorizer(stage, client, head).to_string();
    let result = match api.lambda.invoke(&api.config.authorizer, Bytes::from(event)).await {
        Ok(result) => result,
        // The documented way for an authorizer to say 401.
        Err(InvokeError::Function { message, .. }) if message == "Unauthorized" => {
            return Err(StatusCode::UNAUTHORIZED);
        }
        Err(_) => return Err(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if result.len() > MAX_RESULT {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let decision: Decision =
        serde_json::from_slice(&result).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let context = decision.context().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    if decision.policy_document.allows(&events::method_arn(stage)) {
        Ok(context)
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    principal_id: String,
    policy_document: Policy,
    #[serde(default)]
    context: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: OneOrMany,
    resource: OneOrMany,
}

#[derive(Deserialize, PartialEq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Decision {
    /// Values as strings, as events carry them; `None` if one is not a string, a number or a boolean.
    fn context(&self) -> Option<Map<String, Value>> {
        let mut context = Map::from_iter([("principalId".to_owned(), self.principal_id.as_str().into())]);
        for (name, value) in &self.context {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            context.insert(name.clone(), value.into());
        }
        Some(context)
    }
}

impl Policy {
    /// IAM's rule: some statement allows, and none denies.
    fn allows(&self, resource: &str) -> bool {
        let says = |effect| {
            self.statement.iter().any(|statement| {
                statement.effect == effect
                    && statement.action.matches("execute-api:Invoke")
                    && statement.resource.matches(resource)
            })
        };
        says(Effect::Allow) && !says(Effect::Deny)
    }
}

impl OneOrMany {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::One(pattern) => matches(pattern.as_bytes(), text.as_bytes()),
            Self::Many(patterns) => patterns.iter().any(|it| matches(it.as_bytes(), text.as_bytes())),
        }
    }
}

/// `*` is any text, `?` any one character.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if matches(rest, text) => true,
        (Some((b'*', _)), Some((_, text))) => matches(pattern, text),
        (Some((wanted, pattern)), Some((found, text))) => {
            (wanted == found || *wanted == b'?') && matches(pattern, text)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_allows_only_what_it_names_and_a_deny_wins() {
        let arn = events::method_arn("live");
        let allow = |action: Value, resource: Value| json!({"Effect": "Allow", "Action": action, "Resource": resource});
        let invoke = "execute-api:Invoke";
        let cases = [
            (json!([allow(invoke.into(), arn.as_str().into())]), true),
            (json!([allow("*".into(), "*".into())]), true),
            (
                json!([allow(
                    json!(["x", "execute-api:*"]),
                    json!(["y", "arn:aws:execute-api:*:local/live/?connect"])
                )]),
                true,
            ),
            (json!([allow(invoke.into(), "arn:aws:execute-api:*:local/test/*".into())]), false),
            (json!([allow("execute-api:ManageConnections".into(), "*".into())]), false),
            (
                json!([allow("*".into(), "*".into()), {"Effect": "Deny", "Action": "*", "Resource": "*"}]),
                false,
            ),
            (json!([]), false),
        ];
        for (statement, expected) in cases {
            let policy: Policy = serde_json::from_value(json!({"Statement": statement})).unwrap();
            assert_eq!(policy.allows(&arn), expected, "{statement}");
        }
    }
}
