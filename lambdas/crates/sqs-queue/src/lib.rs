//! The queue between `appsync-request` and `appsync-worker`, in SQS's own JSON
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html>). It is
//! Lambda that receives from it and deletes.

#![forbid(unsafe_code)]

mod error;

use std::time::Duration;

use aws_call::{Call, Endpoint, Retry, Service};
use bytes::Bytes;
use chat::Backoff;
use serde::Serialize;
use startup::{Aws, Settings, SettingsError};

pub use error::QueueError;
use error::Refusal;

/// The mutation waits behind it, and `appsync-request` has 10 s for everything, of which the stream log may take 3.
const RETRY: Retry = Retry {
    backoff: Backoff { attempts: 3, base: Duration::from_millis(200), cap: Duration::from_secs(1) },
    try_for: Duration::from_secs(2),
    in_all: Duration::from_secs(5),
};

/// One queue, as one role.
#[derive(Debug)]
pub struct Queue {
    send_message: Call,
    change_message_visibility: Call,
    url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage<'a> {
    queue_url: &'a str,
    message_body: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeMessageVisibility<'a> {
    queue_url: &'a str,
    receipt_handle: &'a str,
    visibility_timeout: u64,
}

impl Queue {
    /// The queue that the settings name.
    pub fn from_settings(settings: Settings, aws: &Aws) -> Result<Self, SettingsError> {
        let endpoint = settings.optional("AWS_ENDPOINT_URL_SQS")?;
        Self::new(aws, endpoint, settings.required("QUEUE_URL")?)
    }

    /// `endpoint` is where SQS is, if not at its usual address; `url` is the queue's name there.
    pub fn new(aws: &Aws, endpoint: Option<Endpoint>, url: String) -> Result<Self, SettingsError> {
        let endpoint = endpoint.map_or_else(|| Endpoint::of_service("sqs", aws), Ok)?;
        let service = Service::new(aws, "sqs")?;
        Ok(Self {
            send_message: service.json_call(&endpoint, "AmazonSQS.SendMessage"),
            change_message_visibility: service.json_call(&endpoint, "AmazonSQS.ChangeMessageVisibility"),
            url,
        })
    }

    /// A try without an answer is made again as well, although its message may be in the queue: a prompt that is there twice
    /// is answered once, because the worker claims it, and without a stream log twice; one that is not there is never answered.
    pub async fn send(&self, message: &str) -> Result<(), QueueError> {
        let body = body(&SendMessage { queue_url: &self.url, message_body: message });
        let once = |limit| post(&self.send_message, body.clone(), limit);
        RETRY.run(once, QueueError::may_pass).await
    }

    /// Hides a received message for so many whole seconds from now on. Tried once.
    pub async fn change_visibility(&self, receipt_handle: &str, seconds: u64) -> Result<(), QueueError> {
        let body = body(&ChangeMessageVisibility {
            queue_url: &self.url,
            receipt_handle,
            visibility_timeout: seconds,
        });
        post(&self.change_message_visibility, body, RETRY.try_for).await
    }
}

async fn post(call: &Call, body: Bytes, limit: Duration) -> Result<(), QueueError> {
    let (status, answer) = call.post(body, limit).await?;
    if status.is_success() { Ok(()) } else { Err(Refusal::parse(status.as_u16(), &answer).into()) }
}

fn body(request: &impl Serialize) -> Bytes {
    serde_json::to_vec(request).expect("strings and numbers always serialize").into()
}

#[cfg(test)]
mod tests;
