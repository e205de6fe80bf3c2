//! Bedrock Runtime's `ConverseStream`: real event-stream frames at a human pace.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::Router;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    faults::{Faults, Planned},
    sigv4::Identities,
};
use error::Refusal;
use journal::Journal;

mod api;
mod builtin;
mod client;
mod error;
mod frame;
mod framing;
mod journal;
mod openai;
mod passthrough;
mod request;
mod sse;
mod text;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// The tokens to emit, any pieces of text; `None`: the built-in text.
    pub tokens: Option<Vec<String>>,
    #[serde(rename = "first_token_ms", with = "millis")]
    pub first_token_after: Duration,
    #[serde(rename = "between_tokens_ms", with = "millis")]
    pub between_tokens: Duration,
    pub ending: Ending,
    pub framing: Framing,
}

/// How the frames are cut into chunks of the HTTP body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Framing {
    /// A frame is a chunk.
    #[default]
    Whole,
    /// Every byte is a chunk.
    Bytes,
    /// Chunks of 1 to 16 bytes, the same for the same seed.
    Pieces { seed: u64 },
}

/// What happens after the tokens, or instead of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ending {
    /// messageStop and metadata.
    Stop { reason: String },
    /// An exception frame after so many tokens, such as `modelStreamErrorException`.
    Exception { after: usize, kind: String },
    /// The body ends after so many tokens, without messageStop.
    Truncated { after: usize },
    /// Nothing more after so many tokens, the connection stays open.
    Stall { after: usize },
    /// The frame after so many tokens has a wrong checksum. The answer goes on as if it had not.
    BadChecksum { after: usize },
    /// The connection breaks within the body, after so many tokens.
    Reset { after: usize },
    /// Refused with an HTTP status and error type, such as 429 `ThrottlingException`, the first `times` calls.
    Refused { status: u16, kind: String, times: usize },
}

/// One call of `ConverseStream`, for tests.
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
pub struct Bedrock {
    inner: Arc<Inner>,
}

impl Bedrock {
    pub fn new(source: Source, identities: Identities, faults: Faults) -> Self {
        let backend = match source {
            Source::BuiltIn => Backend::BuiltIn,
            Source::OpenAi { url, model } => Backend::OpenAi(openai::Server::new(&url, model)),
            Source::Bedrock { url } => Backend::Bedrock(passthrough::Endpoint::new(&url)),
        };
        let (script, journal) = (Mutex::new(None), Journal::default());
        let inner = Inner { backend, identities, faults, script, journal };
        Bedrock { inner: Arc::new(inner) }
    }

    /// `POST /model/{modelId}/converse-stream`
    pub fn router(&self) -> Router {
        api::router(self.clone())
    }

    /// From now on the built-in model answers, as the script says, whatever the source is.
    pub fn script(&self, script: Script) {
        *self.inner.script.lock().expect("the script's lock") = Some(script);
    }

    /// The calls that reached the model, oldest first, refused ones too; those that were not authorized or not
    /// valid are not among them. Only the latest 10,000 are kept.
    pub fn calls(&self) -> Vec<ModelCall> {
        self.inner.journal.calls()
    }

    /// Those of `calls` whose request contains the marker of a plan.
    pub fn calls_of(&self, marker: &str) -> Vec<ModelCall> {
        self.inner.journal.calls_of(marker)
    }

    /// The script to play for one call; `None` if there is none and the source has to answer. A plan's comes first.
    fn next_script(&self, planned: Option<&Planned>) -> Result<Option<Script>, Refusal> {
        if let Some(planned) = planned
            && let Some(script) = &planned.plan.model
        {
            return match &script.ending {
                Ending::Refused { status, kind, times } if planned.refuses(*times) => {
                    Err(Refusal::scripted(*status, kind))
                }
                _ => Ok(Some(script.clone())),
            };
        }
        let mut script = self.inner.script.lock().expect("the script's lock");
        match script.as_mut() {
            Some(Script { ending: Ending::Refused { status, kind, times }, .. }) if *times > 0 => {
                *times -= 1;
                Err(Refusal::scripted(*status, kind))
            }
            Some(script) => Ok(Some(script.clone())),
            None => Ok(None),
        }
    }
}

impl Default for Script {
    /// The built-in text at its usual pace, to its end.
    fn default() -> Self {
        Script {
            tokens: None,
            first_token_after: builtin::FIRST_TOKEN,
            between_tokens: builtin::BETWEEN_TOKENS,
            ending: Ending::default(),
            framing: Framing::Whole,
        }
    }
}

impl Default for Ending {
    fn default() -> Self {
        Ending::Stop { reason: "end_turn".to_owned() }
    }
}

/// Times in JSON.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

struct Inner {
    backend: Backend,
    identities: Identities,
    faults: Faults,
    script: Mutex<Option<Script>>,
    journal: Journal,
}

enum Backend {
    BuiltIn,
    OpenAi(openai::Server),
    Bedrock(passthrough::Endpoint),
}

#[cfg(test)]
mod tests;
