use chat::Error;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The event that the resolvers send.
#[derive(Debug, Deserialize)]
pub struct FieldRequest {
    pub field: Field,
    pub arguments: Map<String, Value>,
    /// `ctx.identity`, as AppSync verified it.
    pub identity: Value,
}

/// The field of the schema that is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    StartStream,
    CancelStream,
    StreamEvents,
}

/// GraphQL's names of the contract's fields.
const NAMES: [(&str, &str); 2] = [("sessionId", "stream_id"), ("maxTokens", "max_tokens")];

impl FieldRequest {
    /// The arguments as the contract's request JSON.
    pub(crate) fn request_json(&self) -> Vec<u8> {
        let fields = self.arguments.iter().map(|(name, value)| {
            let renamed = NAMES.iter().find(|(graphql, _)| graphql == name);
            (renamed.map_or(name.as_str(), |(_, contract)| contract), value)
        });
        let request: Map<String, Value> =
            fields.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        serde_json::to_vec(&request).expect("a JSON value always serializes")
    }
}

/// Whoever wrote `maxTokens` should not be told about `max_tokens`.
pub(crate) fn in_graphql_names(error: Error) -> Error {
    let message = NAMES.iter().fold(error.message, |message, (graphql, contract)| {
        message.replace(&format!("`{contract}`"), &format!("`{graphql}`"))
    });
    Error { message, ..error }
}

#[cfg(test)]
mod tests {
    use auth::Caller;
    use chat::{ChatRequest, InvalidRequest, RequestLimits};
    use serde_json::json;

    use super::*;

    fn request_json(arguments: &Map<String, Value>) -> Vec<u8> {
        let event = json!({"field": "startStream", "arguments": arguments, "identity": null});
        serde_json::from_value::<FieldRequest>(event).unwrap().request_json()
    }

    fn parse(request: &[u8]) -> Result<ChatRequest, InvalidRequest> {
        let limits = RequestLimits { max_output_tokens: golden::requests().limits.max_output_tokens };
        ChatRequest::parse(Caller::from_queued_owner("ann".to_owned()).unwrap(), request, limits)
    }

    #[test]
    fn arguments_become_the_contracts_request() {
        for case in golden::requests().graphql_valid {
            let request = request_json(&case.arguments);
            assert_eq!(serde_json::from_slice::<Value>(&request).unwrap(), case.request, "{}", case.name);
            assert!(parse(&request).is_ok(), "{}", case.name);
        }
    }

    #[test]
    fn errors_speak_the_names_of_graphql() {
        for case in golden::requests().graphql_invalid {
            let invalid = parse(&request_json(&case.arguments)).expect_err(&case.name);
            let error = in_graphql_names(invalid.into_error());
            assert_eq!(
                (error.code.as_str(), error.message),
                (case.code.as_str(), case.message),
                "{}",
                case.name
            );
        }
    }
}
