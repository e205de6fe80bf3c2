//! The [`Model`](chat::Model) over Amazon Bedrock's `ConverseStream`, one API for every text model there
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>).

#![forbid(unsafe_code)]

mod failure;
mod request_fields;

use std::sync::Arc;

use aws_sdk_bedrockruntime::{
    Client,
    config::{StalledStreamProtectionConfig, retry::RetryConfig},
    primitives::event_stream::EventReceiver,
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, InferenceConfiguration,
        Message, StopReason, SystemContentBlock, error::ConverseStreamOutputError,
    },
};
use aws_smithy_types::Document;
use aws_types::SdkConfig;
use chat::{Answer, Backoff, ChatRequest, Model, ModelError, ModelEvent, Retrying, Role, Usage};
use startup::{Aws, Settings, SettingsError};

pub use request_fields::{NotRequestFields, RequestFields};

/// The model that the settings name, asked again where that may help; and its id.
pub fn from_settings(
    settings: Settings,
    aws: &Aws,
) -> Result<(Retrying<BedrockModel>, Arc<str>), SettingsError> {
    let client = client(&aws.sdk_config(settings.optional("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")?));
    let id: Arc<str> = settings.required::<String>("MODEL_ID")?.into();
    let model = BedrockModel::new(client, id.clone(), settings.optional("MODEL_REQUEST_FIELDS")?);
    Ok((Retrying::new(model, Backoff::default()), id))
}

/// One model, or inference profile, of Bedrock.
#[derive(Debug, Clone)]
pub struct BedrockModel {
    client: Client,
    id: Arc<str>,
    request_fields: Option<Document>,
}

/// A client for streams: retries and deadlines are ours (`chat::Retrying`, `chat::relay`), because they depend on
/// whether a token has been passed on; and a model that thinks is not a stalled connection.
pub fn client(config: &SdkConfig) -> Client {
    let config = aws_sdk_bedrockruntime::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Client::from_conf(config)
}

impl BedrockModel {
    /// `request_fields` are sent along as they are: what one model family has beyond the Converse API, such as
    /// a switch for its thinking.
    pub fn new(client: Client, id: impl Into<Arc<str>>, request_fields: Option<RequestFields>) -> Self {
        Self { client, id: id.into(), request_fields: request_fields.map(|fields| fields.0) }
    }

    /// The id of the model or inference profile.
    pub fn id(&self) -> Arc<str> {
        self.id.clone()
    }
}

impl Model for BedrockModel {
    type Answer = BedrockAnswer;

    async fn open(&self, request: &ChatRequest) -> Result<Self::Answer, ModelError> {
        // Temperature and top-p are not sent: newer models reject them.
        let inference = InferenceConfiguration::builder()
            .max_tokens(i32::try_from(request.max_tokens).unwrap_or(i32::MAX))
            .build();
        let output = self
            .client
            .converse_stream()
            .model_id(&*self.id)
            .set_messages(Some(request.messages.iter().map(message).collect::<Result<_, _>>()?))
            .set_system(request.system.clone().map(|text| vec![SystemContentBlock::Text(text)]))
            .inference_config(inference)
            .set_additional_model_request_fields(self.request_fields.clone())
            .send()
            .await
            .map_err(failure::of_call)?;
        Ok(BedrockAnswer { events: output.stream })
    }
}

/// An answer of Bedrock. Dropping it closes the HTTP connection, which ends the generation.
#[derive(Debug)]
pub struct BedrockAnswer {
    events: EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>,
}

impl Answer for BedrockAnswer {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            match self.events.recv().await {
                Ok(Some(event)) => {
                    if let Some(event) = model_event(event) {
                        return Some(Ok(event));
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(Err(failure::of_stream(error))),
            }
        }
    }
}

fn message(message: &chat::Message) -> Result<Message, ModelError> {
    let role = match message.role {
        Role::User => ConversationRole::User,
        Role::Assistant => ConversationRole::Assistant,
    };
    Message::builder()
        .role(role)
        .content(ContentBlock::Text(message.content.clone()))
        .build()
        .map_err(|error| ModelError::new(chat::ModelErrorKind::Rejected, error))
}

/// What an event says to us. The brackets around messages and blocks say nothing: they are not a sign of life, for
/// a first token may still be long in coming. Bedrock's enums are open, and what we do not know says nothing either.
fn model_event(event: ConverseStreamOutput) -> Option<ModelEvent> {
    match event {
        ConverseStreamOutput::ContentBlockDelta(block) => Some(match block.delta {
            Some(ContentBlockDelta::Text(text)) => ModelEvent::Text(text),
            _ => ModelEvent::Activity,
        }),
        ConverseStreamOutput::MessageStop(stop) => Some(ModelEvent::Stop(stop_reason(&stop.stop_reason))),
        ConverseStreamOutput::Metadata(metadata) => metadata.usage.map(|usage| {
            ModelEvent::Usage(Usage {
                input_tokens: u64::try_from(usage.input_tokens).unwrap_or(0),
                output_tokens: u64::try_from(usage.output_tokens).unwrap_or(0),
            })
        }),
        _ => None,
    }
}

fn stop_reason(reason: &StopReason) -> chat::StopReason {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => chat::StopReason::MaxTokens,
        StopReason::StopSequence => chat::StopReason::StopSequence,
        StopReason::ContentFiltered => chat::StopReason::ContentFiltered,
        StopReason::GuardrailIntervened => chat::StopReason::GuardrailIntervened,
        // No tools are offered, so the rest cannot happen; whatever it is, the model ended its turn.
        _ => chat::StopReason::EndTurn,
    }
}
