use chat::Error;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The event that the resolver `startStream.js` sends.
#[derive(Debug, Deserialize)]
pub struct StartStream {
    pub arguments: Map<String, Value>,
    /// `ctx.identity`, as AppSync verified it.
    pub identity: Value,
}

/// GraphQL's names of the contract's fields.
const NAMES: [(&str, &str); 2] = [("sessionId", "stream_id"), ("maxTokens", "max_tokens")];

impl StartStream {
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
    use chat::ErrorCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_become_the_contracts_request_and_errors_speak_graphql() {
        let event = json!({"arguments": {"sessionId": "x", "prompt": "p", "maxTokens": 7}, "identity": null});
        let event: StartStream = serde_json::from_value(event).unwrap();
        let request: Value = serde_json::from_slice(&event.request_json()).unwrap();
        assert_eq!(request, json!({"stream_id": "x", "prompt": "p", "max_tokens": 7}));
        let error = Error::new(ErrorCode::InvalidRequest, "`max_tokens` must be a whole number");
        assert_eq!(in_graphql_names(error).message, "`maxTokens` must be a whole number");
    }
}
