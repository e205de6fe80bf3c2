//! Bedrock Runtime's ConverseStream: real event-stream frames at a human pace.

use std::time::{Duration, Instant};

use axum::Router;
use serde_json::Value;

use crate::sigv4::Identities;

/// Where the text comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The built-in text: deterministic for a prompt.
    BuiltIn,
    /// An OpenAI-compatible server, such as `http://localhost:11434/v1`.
    OpenAi { url: String, model: String },
    /// Another Bedrock endpoint; requests and frames pass through.
    Bedrock { url: String },
}

/// How the built-in model answers from now on.
#[derive(Debug, Clone)]
pub struct Script {
    /// The tokens to emit; `None`: the built-in text.
    pub tokens: Option<Vec<String>>,
    pub first_token_after: Duration,
    pub between_tokens: Duration,
    pub ending: Ending,
}

/// What happens after the tokens, or instead of them.
#[derive(Debug, Clone)]
pub enum Ending {
    /// messageStop and metadata.
    Stop { reason: String },
    /// An exception frame after so many tokens, such as `modelStreamErrorException`.
    Exception { after: usize, kind: String },
    /// The body ends after so many tokens, without messageStop.
    Truncated { after: usize },
    /// Nothing more after so many tokens, the connection stays open.
    Stall { after: usize },
    /// Refused with an HTTP status and error type, such as 429 `ThrottlingException`, the first `times` calls.
    Refused { status: u16, kind: String, times: usize },
}

/// One call of ConverseStream, for tests.
#[derive(Debug, Clone)]
pub struct ModelCall {
    pub model_id: String,
    pub request: Value,
    pub opened: Instant,
    /// Each token that was sent, and when.
    pub tokens: Vec<(Instant, String)>,
    /// When the answer was complete, or the caller went away.
    pub closed: Option<Instant>,
    pub completed: bool,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Bedrock {}

impl Bedrock {
    pub fn new(source: Source, identities: Identities) -> Self {
        let _ = (source, identities);
        todo!()
    }

    pub fn router(&self) -> Router {
        todo!()
    }

    pub fn script(&self, script: Script) {
        let _ = script;
        todo!()
    }

    pub fn calls(&self) -> Vec<ModelCall> {
        todo!()
    }
}
