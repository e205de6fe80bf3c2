//! The JSON of a request, and what may be wrong with it.

use serde::de::DeserializeOwned;

use crate::{Error, ErrorCode, MAX_MESSAGES};

/// The largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

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
    #[error("`after` must be a whole number: the `seq` of the last event that was received")]
    After,
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
            | Self::MaxTokens { .. }
            | Self::After => ErrorCode::InvalidRequest,
        };
        Error::new(code, self.to_string())
    }
}

/// One JSON object in UTF-8, and nothing behind it.
pub(crate) fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, InvalidRequest> {
    if body.len() > MAX_BODY_BYTES {
        return Err(InvalidRequest::TooLarge { bytes: body.len() });
    }
    // A struct would also be read from an array.
    if body.trim_ascii_start().first() != Some(&b'{') || std::str::from_utf8(body).is_err() {
        return Err(InvalidRequest::NotAnObject);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let object = serde_path_to_error::deserialize(&mut json).map_err(|error| {
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
    Ok(object)
}

/// A one-line body has no use for "at line 1 column 27".
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |at| text[..at].to_owned())
}

/// The error quotes what the caller wrote, up to a whole body, and must itself fit into one small message.
pub(crate) fn excerpt(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}
