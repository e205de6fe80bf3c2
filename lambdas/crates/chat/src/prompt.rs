use auth::Caller;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, StreamId, object::Object};

/// The largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

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

/// A broken rule. The text is for the person who wrote the request: it names the field and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    #[error("the request is {bytes} bytes; at most {MAX_BODY_BYTES} are allowed")]
    TooLarge { bytes: usize },
    #[error("the request must be a JSON object in UTF-8")]
    NotAnObject,
    #[error("the request is not valid JSON: {0}")]
    NotJson(String),
    #[error("`{field}`: {problem}")]
    WrongField { field: String, problem: String },
    #[error("exactly one of `prompt` and `messages` is required")]
    PromptOrMessages,
    #[error("`{field}` must not be blank")]
    Blank { field: String },
    #[error("`{field}` must not contain the character U+0000")]
    Nul { field: String },
    #[error("`messages` holds {count} messages; at least 1 and at most {MAX_MESSAGES} are allowed")]
    MessageCount { count: usize },
    #[error(
        "`messages[{index}].role` must be `{expected}`: roles alternate, and the first and the last are `user`"
    )]
    RoleOrder { index: usize, expected: &'static str },
    #[error("`stream_id` must be a UUID such as 3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f")]
    StreamId,
    #[error("`max_tokens` must be a whole number from 1 to {max}")]
    MaxTokens { max: u32 },
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
        if body.len() > MAX_BODY_BYTES {
            return Err(InvalidRequest::TooLarge { bytes: body.len() });
        }
        let raw = RawRequest::read(body)?;
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

impl InvalidRequest {
    /// What the caller is told.
    pub fn into_error(self) -> Error {
        let code = match &self {
            Self::TooLarge { .. } => ErrorCode::PayloadTooLarge,
            Self::NotAnObject
            | Self::NotJson(_)
            | Self::WrongField { .. }
            | Self::PromptOrMessages
            | Self::Blank { .. }
            | Self::Nul { .. }
            | Self::MessageCount { .. }
            | Self::RoleOrder { .. }
            | Self::StreamId
            | Self::MaxTokens { .. } => ErrorCode::InvalidRequest,
        };
        Error::new(code, self.to_string())
    }
}

impl RawRequest {
    fn read(body: &[u8]) -> Result<Self, InvalidRequest> {
        // A struct would also be read from an array.
        if body.trim_ascii_start().first() != Some(&b'{') || std::str::from_utf8(body).is_err() {
            return Err(InvalidRequest::NotAnObject);
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let raw = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            let inner = error.into_inner();
            let problem = excerpt(&without_position(&inner), 160);
            if inner.is_data() && field != "." {
                InvalidRequest::WrongField { field: excerpt(&field, 60), problem }
            } else {
                InvalidRequest::NotJson(problem)
            }
        })?;
        json.end().map_err(|error| InvalidRequest::NotJson(without_position(&error)))?;
        Ok(raw)
    }
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

/// A one-line body has no use for "at line 1 column 27".
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |at| text[..at].to_owned())
}

/// The error quotes what the caller wrote, up to a whole body, and must itself fit into one small message.
fn excerpt(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}
