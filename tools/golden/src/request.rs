use chat::Message;
use serde::Deserialize;
use serde_json::{Map, Value};

/// `requests.json`: what is accepted and what is refused, with which words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    pub limits: Limits,
    pub valid: Vec<Valid>,
    pub invalid: Vec<Invalid>,
    pub graphql_valid: Vec<GraphQlRequest>,
    pub graphql_invalid: Vec<GraphQlRefusal>,
    pub resume_valid: Vec<Recall>,
    pub resume_invalid: Vec<Invalid>,
    pub cancel_valid: Vec<Recall>,
    pub cancel_invalid: Vec<Invalid>,
}

/// Under which the cases hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub body_bytes: usize,
    pub messages: usize,
    /// The operator's; the others are fixed.
    pub max_output_tokens: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Valid {
    pub name: String,
    pub why: String,
    pub request: Body,
    pub expect: Expect,
}

/// What the model is asked.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `None` where the request is too long to be repeated here.
    pub messages: Option<Vec<Message>>,
    pub system: Option<String>,
    pub max_tokens: u32,
    /// `None`: the server makes one.
    pub stream_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    pub name: String,
    pub why: String,
    pub body: Body,
    pub code: String,
    pub message: String,
}

/// A request about an answer that has been asked for, and what it means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    pub name: String,
    pub why: String,
    pub request: Body,
    pub expect: Recalled,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recalled {
    pub stream_id: String,
    #[serde(default)]
    pub after: Option<u64>,
}

/// Arguments of `startStream`, and the request that they mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphQlRequest {
    pub name: String,
    pub why: String,
    pub arguments: Map<String, Value>,
    pub request: Value,
}

/// Arguments of `startStream` that are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphQlRefusal {
    pub name: String,
    pub why: String,
    pub arguments: Map<String, Value>,
    pub code: String,
    pub message: String,
}

/// The bytes of a request, written so that they can be read.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Body {
    /// As it is.
    Text(String),
    Repeated(Repeated),
    Hex(Hex),
    /// The JSON of it.
    Json(Map<String, Value>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    before: String,
    repeat: String,
    times: usize,
    after: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hex {
    hex: String,
}

impl Body {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Repeated(Repeated { before, repeat, times, after }) => {
                format!("{before}{}{after}", repeat.repeat(*times)).into_bytes()
            }
            Self::Hex(Hex { hex }) => {
                let bytes = hex.split(' ').map(|byte| u8::from_str_radix(byte, 16));
                bytes.collect::<Result<_, _>>().expect("bytes in hexadecimal, between blanks")
            }
            Self::Json(request) => serde_json::to_vec(request).expect("a JSON value always serializes"),
        }
    }
}
