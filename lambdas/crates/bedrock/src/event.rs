//! What the events of `ConverseStream` say to us
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>).

use chat::{ModelError, ModelEvent, StopReason, Usage};
use serde::Deserialize;

use crate::{
    failure::{self, Failure},
    frame::{Kind, Message},
};

/// `None` where it says nothing: the brackets around messages and blocks are not a sign of life, for a first token may still
/// be long in coming. The API is open, and what we do not know says nothing either.
pub(crate) fn read(message: Message<'_>) -> Result<Option<ModelEvent>, ModelError> {
    let payload = message.payload;
    match message.kind {
        Kind::Event("contentBlockDelta") => {
            let Block { delta } = parse("contentBlockDelta", payload)?;
            let text = delta.and_then(|delta| delta.text);
            Ok(Some(text.map_or(ModelEvent::Activity, ModelEvent::Text)))
        }
        Kind::Event("messageStop") => {
            let MessageStop { stop_reason: reason } = parse("messageStop", payload)?;
            Ok(Some(ModelEvent::Stop(stop_reason(&reason))))
        }
        Kind::Event("metadata") => {
            let Metadata { usage } = parse("metadata", payload)?;
            Ok(usage.map(|billed| {
                ModelEvent::Usage(Usage {
                    input_tokens: u64::try_from(billed.input_tokens).unwrap_or(0),
                    output_tokens: u64::try_from(billed.output_tokens).unwrap_or(0),
                })
            }))
        }
        Kind::Event(_) => Ok(None),
        Kind::Exception(code) => Err(failure::in_stream(code, payload).into()),
        Kind::Error { code, message } => Err(failure::unknown(code, message).into()),
    }
}

#[derive(Deserialize)]
struct Block {
    delta: Option<Delta>,
}

/// A union. Its other members are reasoning, tools and citations.
#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    #[serde(default)]
    stop_reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    usage: Option<Billed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Billed {
    #[serde(default)]
    input_tokens: i64,
    #[serde(default)]
    output_tokens: i64,
}

fn parse<'a, T: Deserialize<'a>>(name: &'static str, payload: &'a [u8]) -> Result<T, ModelError> {
    // serde's own words may quote the answer.
    serde_json::from_slice(payload).map_err(|_| Failure::Event(name).into())
}

fn stop_reason(reason: &str) -> StopReason {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "content_filtered" => StopReason::ContentFiltered,
        "guardrail_intervened" => StopReason::GuardrailIntervened,
        // No tools are offered, so the rest cannot happen; whatever it is, the model ended its turn.
        _ => StopReason::EndTurn,
    }
}
