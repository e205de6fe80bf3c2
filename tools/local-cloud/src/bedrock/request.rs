//! The request of `ConverseStream`, as far as text goes ("Converse API" in the Bedrock User Guide).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Refusal;

/// A valid conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) system: Vec<String>,
    /// Begins with the user; the roles alternate.
    pub(super) messages: Vec<Message>,
    pub(super) inference: Inference,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) role: Role,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    User,
    Assistant,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Inference {
    pub(super) max_tokens: Option<u32>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
}

impl Conversation {
    pub(super) fn parse(body: &Value) -> Result<Self, Refusal> {
        // serde's own words may quote the conversation.
        let request = Request::deserialize(body).map_err(|_| {
            Refusal::validation("The request is not one that this local service knows: text messages, system text, maxTokens, temperature, topP.")
        })?;
        // Model-specific fields are for the model, and there is none of that kind here.
        if let Some(name) = request.other.keys().find(|name| *name != "additionalModelRequestFields") {
            return Err(Refusal::validation(format!("{name} is not available in this local service.")));
        }
        if request.inference_config.max_tokens == Some(0) {
            return Err(Refusal::validation(
                "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1",
            ));
        }
        Ok(Conversation {
            system: texts("system", request.system)?,
            messages: messages(request.messages)?,
            inference: request.inference_config,
        })
    }

    /// What the user wrote last; nothing if the assistant's turn is to be continued.
    pub(super) fn prompt(&self) -> &str {
        self.messages.last().filter(|message| message.role == Role::User).map_or("", |message| &message.text)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    system: Vec<TextBlock>,
    #[serde(default)]
    messages: Vec<RawMessage>,
    #[serde(default)]
    inference_config: Inference,
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMessage {
    role: Role,
    content: Vec<TextBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBlock {
    text: String,
}

fn messages(messages: Vec<RawMessage>) -> Result<Vec<Message>, Refusal> {
    if messages.first().is_none_or(|message| message.role != Role::User) {
        return Err(Refusal::validation(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    if messages.windows(2).any(|pair| pair[0].role == pair[1].role) {
        return Err(Refusal::validation(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
        ));
    }
    messages
        .into_iter()
        .enumerate()
        .map(|(index, RawMessage { role, content })| {
            let place = format!("messages.{index}.content");
            if content.is_empty() {
                return Err(Refusal::validation(format!("The content field at {place} is empty.")));
            }
            Ok(Message { role, text: texts(&place, content)?.concat() })
        })
        .collect()
}

fn texts(place: &str, blocks: Vec<TextBlock>) -> Result<Vec<String>, Refusal> {
    let texts: Vec<String> = blocks.into_iter().map(|block| block.text).collect();
    match texts.iter().position(|text| text.trim().is_empty()) {
        Some(index) => Err(Refusal::validation(format!(
            "The text field in the ContentBlock object at {place}.{index} is blank. Add text to the text field, and try again."
        ))),
        None => Ok(texts),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_conversation_of_texts_is_valid() {
        let user = || json!({"role": "user", "content": [{"text": "Hi"}]});
        let assistant = || json!({"role": "assistant", "content": [{"text": "Hello"}]});
        let valid = [
            json!({"messages": [user()]}),
            json!({"messages": [user(), assistant(), user()], "system": [{"text": "Be brief."}],
                "inferenceConfig": {"maxTokens": 1, "temperature": 0.5, "topP": 1},
                "additionalModelRequestFields": {"thinking": {"type": "disabled"}}}),
        ];
        for request in valid {
            assert_eq!(Conversation::parse(&request).unwrap().prompt(), "Hi", "{request}");
        }
        let invalid = [
            json!(null),
            json!({}),
            json!({"messages": []}),
            json!({"messages": [assistant()]}),
            json!({"messages": [user(), user()]}),
            json!({"messages": [{"role": "system", "content": [{"text": "x"}]}]}),
            json!({"messages": [{"role": "user", "content": []}]}),
            json!({"messages": [{"role": "user", "content": "x"}]}),
            json!({"messages": [{"role": "user", "content": [{"text": " \n"}]}]}),
            json!({"messages": [{"role": "user", "content": [{"image": {}}]}]}),
            json!({"messages": [user()], "system": [{"text": ""}]}),
            json!({"messages": [user()], "inferenceConfig": {"maxTokens": 0}}),
            json!({"messages": [user()], "inferenceConfig": {"maxTokens": -1}}),
            json!({"messages": [user()], "inferenceConfig": {"stopSequences": ["x"]}}),
            json!({"messages": [user()], "toolConfig": {}}),
        ];
        for request in invalid {
            let refusal = Conversation::parse(&request).unwrap_err().to_string();
            assert!(refusal.starts_with("ValidationException: "), "{request} {refusal}");
        }
    }
}
