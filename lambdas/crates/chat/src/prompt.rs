use auth::Caller;
use serde::{Deserialize, Serialize};

use crate::{
    InvalidRequest, MAX_BODY_BYTES, StreamId,
    body::{excerpt, read_object},
    object::Object,
};

/// The most messages in one conversation.
pub const MAX_MESSAGES: usize = 50;

/// A prompt that may be put to the model: every rule of the contract has been checked, and somebody known asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    pub caller: Caller,
    pub stream_id: StreamId,
    /// Roles alternate; the first and the last are the user's.
    pub messages: Vec<Message>,
    pub system: Option<String>,
    pub max_tokens: u32,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

/// Read from a string only: serde would also take the object `{"user": null}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Role {
    User,
    Assistant,
}

/// What the operator allows, beside the fixed limits of the contract.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// The cap on `max_tokens`, and its default.
    pub max_output_tokens: u32,
}

impl ChatRequest {
    /// The `stream_id` that a request names, valid in the rest or not, so that its error can name it too.
    pub fn stream_id_of(body: &[u8]) -> Option<StreamId> {
        #[derive(Deserialize)]
        struct OnlyTheId {
            stream_id: String,
        }
        let request: OnlyTheId = serde_json::from_slice(body.get(..MAX_BODY_BYTES).unwrap_or(body)).ok()?;
        StreamId::parse(&request.stream_id)
    }

    /// Reads the request JSON of the contract (`protocol/README.md`).
    ///
    /// A field that the contract does not know is an error: a misspelt `max_token` would otherwise be ignored,
    /// and paid for.
    pub fn parse(caller: Caller, body: &[u8], limits: RequestLimits) -> Result<Self, InvalidRequest> {
        let raw: RawRequest = read_object(body)?;
        let messages = match (raw.prompt, raw.messages) {
            (Some(prompt), None) => vec![Message { role: Role::User, content: checked("prompt", prompt)? }],
            (None, Some(messages)) => {
                check_conversation(messages.into_iter().map(|Object(message)| message).collect())?
            }
            (Some(_), Some(_)) | (None, None) => return Err(InvalidRequest::PromptOrMessages),
        };
        let system = raw.system.map(|system| checked("system", system)).transpose()?;
        let stream_id = match raw.stream_id {
            Some(text) => StreamId::parse(&text).ok_or(InvalidRequest::StreamId)?,
            None => StreamId::random(),
        };
        let max_tokens = check_max_tokens(raw.max_tokens.as_ref(), limits.max_output_tokens)?;
        Ok(Self { caller, stream_id, messages, system, max_tokens })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    prompt: Option<String>,
    messages: Option<Vec<Object<Message>>>,
    system: Option<String>,
    stream_id: Option<String>,
    max_tokens: Option<serde_json::Number>,
    /// API Gateway routes on it; it says nothing to us.
    #[serde(rename = "action")]
    _action: Option<String>,
}

fn check_conversation(messages: Vec<Message>) -> Result<Vec<Message>, InvalidRequest> {
    let count = messages.len();
    if count == 0 || count > MAX_MESSAGES {
        return Err(InvalidRequest::MessageCount { count });
    }
    for (index, message) in messages.iter().enumerate() {
        let expected = if index.is_multiple_of(2) { Role::User } else { Role::Assistant };
        if message.role != expected {
            return Err(InvalidRequest::RoleOrder { index, expected: expected.as_str() });
        }
        check_text(&format!("messages[{index}].content"), &message.content)?;
    }
    if count.is_multiple_of(2) {
        return Err(InvalidRequest::RoleOrder { index: count - 1, expected: Role::User.as_str() });
    }
    Ok(messages)
}

fn check_max_tokens(number: Option<&serde_json::Number>, max: u32) -> Result<u32, InvalidRequest> {
    let Some(number) = number else { return Ok(max) };
    number
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (1..=max).contains(number))
        .ok_or(InvalidRequest::MaxTokens { max })
}

fn checked(field: &str, text: String) -> Result<String, InvalidRequest> {
    check_text(field, &text).map(|()| text)
}

fn check_text(field: &str, text: &str) -> Result<(), InvalidRequest> {
    if text.trim().is_empty() {
        return Err(InvalidRequest::Blank { field: field.to_owned() });
    }
    if text.contains('\0') {
        return Err(InvalidRequest::Nul { field: field.to_owned() });
    }
    Ok(())
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            _ => Err(format!("`{}` is neither `user` nor `assistant`", excerpt(&text, 60))),
        }
    }
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}
