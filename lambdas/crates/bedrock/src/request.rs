use std::str::FromStr;

use chat::{ChatRequest, Role};
use serde::Serialize;
use serde_json::{Map, Value};

/// `additionalModelRequestFields` of the Converse API, a JSON object, such as `{"thinking": {"type": "disabled"}}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RequestFields(Map<String, Value>);

/// A setting that is not what it has to be.
#[derive(Debug, thiserror::Error)]
pub enum NotRequestFields {
    #[error("not JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("not a JSON object")]
    NotAnObject,
}

impl FromStr for RequestFields {
    type Err = NotRequestFields;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match serde_json::from_str(text)? {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(NotRequestFields::NotAnObject),
        }
    }
}

/// The request's JSON. Temperature and top-p are not in it: newer models reject them.
pub(crate) fn body(request: &ChatRequest, fields: Option<&RequestFields>) -> Vec<u8> {
    let messages = request.messages.iter().map(|message| Message {
        role: match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        },
        content: [Text { text: &message.content }],
    });
    let body = Converse {
        messages: messages.collect(),
        system: request.system.as_deref().map(|text| [Text { text }]),
        // The API's number has 32 bits.
        inference_config: InferenceConfig { max_tokens: request.max_tokens.min(i32::MAX as u32) },
        additional_model_request_fields: fields,
    };
    serde_json::to_vec(&body).expect("strings, numbers and JSON always serialize")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Converse<'a> {
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<[Text<'a>; 1]>,
    inference_config: InferenceConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_request_fields: Option<&'a RequestFields>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfig {
    max_tokens: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_an_object_that_is_taken_as_it_is_and_nothing_else() {
        let json = r#"{"thinking":{"type":"disabled","n":-1}}"#;
        let fields: RequestFields = json.parse().unwrap();
        assert_eq!(serde_json::to_value(&fields).unwrap(), serde_json::from_str::<Value>(json).unwrap());
        for wrong in ["", "[]", "1", "{", "\"x\""] {
            assert!(wrong.parse::<RequestFields>().is_err(), "{wrong}");
        }
    }
}
