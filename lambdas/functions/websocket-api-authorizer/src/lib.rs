//! Decides on `$connect` who may open a WebSocket connection.
//!
//! The token comes as a subprotocol, `llm-stream.v1, bearer.<access token>`: browsers can set no other header on a
//! WebSocket, and a token in the URL would end up in access logs.

#![forbid(unsafe_code)]

use auth::{AuthError, Caller, FetchJwks, Verifier};
use aws_lambda_events::{
    apigw::{
        ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerRequestTypeRequest,
        ApiGatewayCustomAuthorizerResponse,
    },
    iam::{IamPolicyEffect, IamPolicyStatement},
};
use chat::ErrorCode;
use lambda_runtime::{Diagnostic, LambdaEvent};
use startup::Ledger;
use tracing::info;

type Request = ApiGatewayCustomAuthorizerRequestTypeRequest;
type Response = ApiGatewayCustomAuthorizerResponse<Context>;

/// What every later event of the connection carries as `requestContext.authorizer`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Context {
    pub sub: String,
    /// Unix seconds. API Gateway asks the authorizer once per connection, which may outlive the token; whoever
    /// handles a message checks this again.
    pub exp: u64,
}

/// Allows or denies. An outage of the user pool's keys is an error of the function, and so a 500 for the client:
/// it is not known that the token is wrong.
pub async fn handle(
    verifier: &Verifier<impl FetchJwks>,
    ledger: &Ledger,
    event: LambdaEvent<Request>,
) -> Result<Response, Diagnostic> {
    let request_id = event.context.request_id.as_str();
    let request = event.payload;
    let verdict = match bearer(&request) {
        Some(token) => verifier.verify(token).await,
        None => Err(AuthError::Malformed),
    };
    let resource = request.method_arn.unwrap_or_default();
    match verdict {
        Ok(caller) => {
            info!(request_id, "allowed");
            Ok(response(resource, Some(caller)))
        }
        Err(error) if error.is_outage() => {
            ledger.refused(request_id, None, ErrorCode::Internal, &error);
            Err(Diagnostic { error_type: "KeysUnavailable".to_owned(), error_message: error.to_string() })
        }
        Err(error) => {
            ledger.refused(request_id, None, ErrorCode::Unauthorized, &error);
            Ok(response(resource, None))
        }
    }
}

/// The subprotocols may come in one header or several, with or without spaces (RFC 6455, section 11.3.4).
fn bearer(request: &Request) -> Option<&str> {
    let offers =
        request.headers.get_all("sec-websocket-protocol").iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|offer| offer.split(',')).find_map(|name| name.trim().strip_prefix("bearer."))
}

fn response(resource: String, caller: Option<Caller>) -> Response {
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".to_owned()];
    statement.effect = if caller.is_some() { IamPolicyEffect::Allow } else { IamPolicyEffect::Deny };
    statement.resource = vec![resource];
    let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
    policy.version = Some("2012-10-17".to_owned());
    policy.statement = vec![statement];
    let context = caller.map_or_else(Context::default, |caller| Context {
        sub: caller.sub().to_owned(),
        exp: caller.expires_at().unwrap_or_default(),
    });
    let mut response = Response::default();
    response.principal_id =
        Some(if context.sub.is_empty() { "nobody".to_owned() } else { context.sub.clone() });
    response.policy_document = policy;
    response.context = context;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_however_the_subprotocols_are_written() {
        let check = |values: &[&'static str], expect: Option<&str>| {
            let mut request = Request::default();
            for value in values {
                request.headers.append("sec-websocket-protocol", value.parse().unwrap());
            }
            assert_eq!(bearer(&request), expect, "{values:?}");
        };
        check(&["llm-stream.v1, bearer.abc"], Some("abc"));
        check(&["llm-stream.v1,bearer.abc"], Some("abc"));
        check(&["bearer.abc , llm-stream.v1"], Some("abc"));
        check(&["llm-stream.v1", "bearer.abc"], Some("abc"));
        check(&["llm-stream.v1"], None);
        check(&["abc"], None);
        check(&[], None);
    }

    #[test]
    fn a_denied_connection_has_no_context_and_an_allowed_one_says_until_when() {
        let denied = response("arn".to_owned(), None);
        assert_eq!(denied.policy_document.statement[0].effect, IamPolicyEffect::Deny);
        assert_eq!(denied.context, Context::default());
        let context = [("sub".to_owned(), "ann".into()), ("exp".to_owned(), 7.into())].into();
        let caller = Caller::from_websocket_authorizer(&context, 0).unwrap();
        let allowed = response("arn".to_owned(), Some(caller));
        assert_eq!(allowed.policy_document.statement[0].effect, IamPolicyEffect::Allow);
        assert_eq!(allowed.policy_document.statement[0].resource, ["arn"]);
        assert_eq!(allowed.context, Context { sub: "ann".to_owned(), exp: 7 });
    }
}
