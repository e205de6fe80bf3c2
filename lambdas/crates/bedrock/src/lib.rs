//! The [`Model`](chat::Model) over Amazon Bedrock's `ConverseStream`, one API for every text model there
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>).

#![forbid(unsafe_code)]

mod event;
mod failure;
mod frame;
mod request;

use std::sync::Arc;

use aws_call::{Call, Endpoint, NotAnEndpoint, Service};
use chat::{Answer, Backoff, ChatRequest, Model, ModelError, ModelEvent, Retrying};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use startup::{Aws, Settings, SettingsError};

pub use request::{NotRequestFields, RequestFields};

use crate::{failure::Failure, frame::Frames};

const HEADERS: [aws_call::Header; 2] =
    [("accept", "application/vnd.amazon.eventstream"), ("content-type", "application/json")];

/// The model that the settings name, asked again where that may help; and its id.
pub fn from_settings(
    settings: Settings,
    aws: &Aws,
) -> Result<(Retrying<BedrockModel>, Arc<str>), SettingsError> {
    let endpoint = match settings.optional("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")? {
        Some(endpoint) => endpoint,
        None => Endpoint::of_service("bedrock-runtime", aws)?,
    };
    let id: String = settings.required("MODEL_ID")?;
    let request_fields = settings.optional("MODEL_REQUEST_FIELDS")?;
    let model = BedrockModel::new(&Service::new(aws, "bedrock")?, &endpoint, &id, request_fields)
        .map_err(|error| SettingsError::Wrong { name: "MODEL_ID", problem: error.to_string() })?;
    Ok((Retrying::new(model, Backoff::default()), id.into()))
}

/// One model, or inference profile, of Bedrock. Retries and deadlines are not here but in `chat`, because they depend on
/// whether a token has been passed on.
#[derive(Debug, Clone)]
pub struct BedrockModel {
    call: Arc<Call>,
    request_fields: Option<RequestFields>,
}

impl BedrockModel {
    /// `endpoint` is the API's; `id` that of a model or an inference profile, or its ARN. `request_fields` are sent along as
    /// they are: what one model family has beyond the Converse API, such as a switch for its thinking.
    pub fn new(
        service: &Service,
        endpoint: &Endpoint,
        id: &str,
        request_fields: Option<RequestFields>,
    ) -> Result<Self, NotAnEndpoint> {
        let endpoint = endpoint.resource("model", id)?.operation("converse-stream")?;
        Ok(Self { call: Arc::new(service.call(&endpoint, &HEADERS)), request_fields })
    }
}

impl Model for BedrockModel {
    type Answer = BedrockAnswer;

    async fn open(&self, request: &ChatRequest) -> Result<Self::Answer, ModelError> {
        let body = request::body(request, self.request_fields.as_ref());
        let response = self.call.open(body.into()).await.map_err(failure::of_call)?;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(BedrockAnswer { body: Some(body), frames: Frames::default() });
        }
        let body = body.collect().await.map_err(Failure::Broken)?.to_bytes();
        Err(failure::before_stream(head.status, &head.headers, &body).into())
    }
}

/// An answer of Bedrock. Dropping it closes the HTTP connection, which ends the generation.
#[derive(Debug)]
pub struct BedrockAnswer {
    /// `None` when there is no more to be read, or nothing to be made of it.
    body: Option<Incoming>,
    frames: Frames,
}

impl Answer for BedrockAnswer {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        let next = self.read().await.transpose();
        if matches!(next, Some(Err(_))) {
            *self = Self { body: None, frames: Frames::default() };
        }
        next
    }
}

impl BedrockAnswer {
    async fn read(&mut self) -> Result<Option<ModelEvent>, ModelError> {
        loop {
            while let Some(said) = self.frames.next(event::read).map_err(Failure::Frame)? {
                if let Some(event) = said? {
                    return Ok(Some(event));
                }
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            if let Some(frame) = body.frame().await.transpose().map_err(Failure::Broken)? {
                if let Ok(bytes) = frame.into_data() {
                    self.frames.push(&bytes);
                }
            } else {
                self.body = None;
                if !self.frames.is_empty() {
                    return Err(Failure::Cut.into());
                }
            }
        }
    }
}
