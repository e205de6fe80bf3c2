//! The operations, in the AWS JSON 1.0 protocol ("Amazon SQS API Reference").

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Queues, arn,
    error::SqsError,
    queue::{Message, Queue, Received},
};
use crate::{
    faults::{
        Plane,
        calls::{self, Calls},
    },
    sigv4::{ACCOUNT_ID, Principal},
};

/// The largest message body, in bytes; 256 KiB until 2025.
const MAX_BODY: usize = 1024 * 1024;
/// A body at the limit in which every byte is written as `\u00xx`, and the rest of the request.
const MAX_REQUEST: usize = 6 * MAX_BODY + 64 * 1024;
const MAX_VISIBILITY_SECONDS: u64 = 12 * 60 * 60;
const MAX_DELAY_SECONDS: u64 = 15 * 60;
const MAX_WAIT_SECONDS: u64 = 20;

pub(super) fn router(queues: Queues) -> Router {
    let faults = Calls::new(&queues.inner.faults, Plane::Sends);
    Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(from_fn_with_state(faults, calls::meet))
        .with_state(queues)
}

async fn answer(State(queues): State<Queues>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, MAX_REQUEST).await {
        Ok(body) => reply(dispatch(&queues, &parts, body).await),
        Err(_) => reply(Err(SqsError::Serialization("the body is too large or broke off".to_owned()))),
    }
}

/// What `SendMessage` is answered that fails with this status.
pub(crate) fn refusal(status: u16) -> Response {
    reply(Err(SqsError::Planned(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))))
}

fn reply(result: Result<Value, SqsError>) -> Response {
    let mut response = match result {
        Ok(result) => axum::Json(result).into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    let request_id = HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is visible ASCII");
    headers.insert("x-amzn-requestid", request_id);
    response
}

#[derive(Clone, Copy)]
enum Operation {
    SendMessage,
    DeleteMessage,
    ChangeMessageVisibility,
    ReceiveMessage,
    GetQueueAttributes,
}

impl Operation {
    fn of(parts: &Parts) -> Result<Self, SqsError> {
        let target =
            parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        match target.strip_prefix("AmazonSQS.").filter(|_| parts.method == Method::POST) {
            Some("SendMessage") => Ok(Self::SendMessage),
            Some("DeleteMessage") => Ok(Self::DeleteMessage),
            Some("ChangeMessageVisibility") => Ok(Self::ChangeMessageVisibility),
            Some("ReceiveMessage") => Ok(Self::ReceiveMessage),
            Some("GetQueueAttributes") => Ok(Self::GetQueueAttributes),
            _ => Err(SqsError::UnknownOperation(target.to_owned())),
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::SendMessage => "sqs:SendMessage",
            Self::DeleteMessage => "sqs:DeleteMessage",
            Self::ChangeMessageVisibility => "sqs:ChangeMessageVisibility",
            Self::ReceiveMessage => "sqs:ReceiveMessage",
            Self::GetQueueAttributes => "sqs:GetQueueAttributes",
        }
    }
}

async fn dispatch(queues: &Queues, parts: &Parts, body: Bytes) -> Result<Value, SqsError> {
    let operation = Operation::of(parts)?;
    let Parts { method, uri, headers, .. } = parts;
    let principal =
        queues.inner.identities.authorize(method, uri, headers, &body, "sqs", operation.action())?;
    match operation {
        Operation::SendMessage => send_message(queues, parse(&body)?, &principal),
        Operation::DeleteMessage => delete_message(queues, &parse(&body)?),
        Operation::ChangeMessageVisibility => change_message_visibility(queues, &parse(&body)?),
        Operation::ReceiveMessage => receive_message(queues, parse(&body)?).await,
        Operation::GetQueueAttributes => get_queue_attributes(queues, &parse(&body)?),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: Option<String>,
    message_body: Option<String>,
    delay_seconds: Option<u64>,
    /// `MessageAttributes` and what only FIFO queues know.
    #[serde(flatten)]
    other: Map<String, Value>,
}

fn send_message(queues: &Queues, request: SendMessage, sender: &Principal) -> Result<Value, SqsError> {
    let queue = queue_name(request.queue_url.as_deref())?;
    if let Some((name, _)) = request.other.iter().find(|(_, value)| !is_empty(value)) {
        return Err(SqsError::UnsupportedOperation(name.clone()));
    }
    let body = request
        .message_body
        .filter(|body| !body.is_empty())
        .ok_or(SqsError::MissingParameter("MessageBody"))?;
    if body.len() > MAX_BODY {
        return Err(SqsError::InvalidParameterValue(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {MAX_BODY} bytes."
        )));
    }
    if !body.chars().all(is_allowed) {
        return Err(SqsError::InvalidMessageContents);
    }
    let delay = seconds("DelaySeconds", request.delay_seconds, MAX_DELAY_SECONDS)?.unwrap_or_default();
    let message = Message::new(body, &format!("AROALOCAL:{}", sender.name), delay);
    let md5 = message.md5.clone();
    let id = queues.add(queue, message).ok_or(SqsError::QueueDoesNotExist)?;
    Ok(json!({"MD5OfMessageBody": md5, "MessageId": id}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneMessage {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<u64>,
}

fn delete_message(queues: &Queues, request: &OneMessage) -> Result<Value, SqsError> {
    let handle = request.receipt_handle.as_deref().ok_or(SqsError::MissingParameter("ReceiptHandle"))?;
    with_queue(queues, request.queue_url.as_deref(), |queue| {
        queue.delete(handle);
        Ok(json!({}))
    })
}

fn change_message_visibility(queues: &Queues, request: &OneMessage) -> Result<Value, SqsError> {
    let handle = request.receipt_handle.as_deref().ok_or(SqsError::MissingParameter("ReceiptHandle"))?;
    let visibility = seconds("VisibilityTimeout", request.visibility_timeout, MAX_VISIBILITY_SECONDS)?
        .ok_or(SqsError::MissingParameter("VisibilityTimeout"))?;
    let name = queue_name(request.queue_url.as_deref())?;
    let changed = with_queue(queues, request.queue_url.as_deref(), |queue| {
        queue.change_visibility(handle, visibility, Instant::now())
    });
    queues.wake(name);
    changed.map(|()| json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    queue_url: Option<String>,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    wait_time_seconds: Option<u64>,
    /// The older name of the next.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

async fn receive_message(queues: &Queues, request: ReceiveMessage) -> Result<Value, SqsError> {
    let max = request.max_number_of_messages.unwrap_or(1);
    if !(1..=10).contains(&max) {
        return Err(SqsError::InvalidParameterValue(format!(
            "Value {max} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        )));
    }
    let visibility = seconds("VisibilityTimeout", request.visibility_timeout, MAX_VISIBILITY_SECONDS)?;
    let wait = seconds("WaitTimeSeconds", request.wait_time_seconds, MAX_WAIT_SECONDS)?;
    let name = queue_name(request.queue_url.as_deref())?;
    let received = queues
        .receive(name, max, visibility, Some(wait.unwrap_or_default()))
        .await
        .ok_or(SqsError::QueueDoesNotExist)?;
    if received.is_empty() {
        return Ok(json!({}));
    }
    let wanted = [request.attribute_names, request.message_system_attribute_names].concat();
    let messages: Vec<Value> = received.iter().map(|message| to_json(message, &wanted)).collect();
    Ok(json!({"Messages": messages}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

fn get_queue_attributes(queues: &Queues, request: &GetQueueAttributes) -> Result<Value, SqsError> {
    with_queue(queues, request.queue_url.as_deref(), |queue| {
        let now = Instant::now();
        queue.expire(now);
        let (config, counts) = (&queue.config, queue.counts(now));
        let mut attributes = vec![
            ("QueueArn", arn(&config.name)),
            ("ApproximateNumberOfMessages", counts.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
            ("VisibilityTimeout", config.visibility_timeout.as_secs().to_string()),
            ("MessageRetentionPeriod", config.retention.as_secs().to_string()),
        ];
        if let Some(target) = &config.dead_letter_queue {
            let policy =
                json!({"deadLetterTargetArn": arn(target), "maxReceiveCount": config.max_receive_count});
            attributes.push(("RedrivePolicy", policy.to_string()));
        }
        let known = |name: &String| name == "All" || attributes.iter().any(|(known, _)| known == name);
        // Asked for on a queue without one, it is simply not there.
        if let Some(unknown) = request.attribute_names.iter().find(|n| !known(n) && *n != "RedrivePolicy") {
            return Err(SqsError::InvalidAttributeName(unknown.clone()));
        }
        Ok(json!({"Attributes": select(attributes, &request.attribute_names)}))
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    // The position is enough: serde's own words may quote the value, which can be a prompt.
    serde_json::from_slice(body)
        .map_err(|error| SqsError::Serialization(format!("line {}, column {}", error.line(), error.column())))
}

fn with_queue<T>(
    queues: &Queues,
    url: Option<&str>,
    work: impl FnOnce(&mut Queue) -> Result<T, SqsError>,
) -> Result<T, SqsError> {
    work(queues.lock().get_mut(queue_name(url)?).ok_or(SqsError::QueueDoesNotExist)?)
}

/// `http://host:port/000000000000/<name>`
fn queue_name(url: Option<&str>) -> Result<&str, SqsError> {
    let url = url.ok_or(SqsError::MissingParameter("QueueUrl"))?;
    let path = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).map(|(_, path)| path);
    path.and_then(|path| path.strip_prefix(ACCOUNT_ID)?.strip_prefix('/'))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .ok_or_else(|| SqsError::InvalidAddress(url.to_owned()))
}

fn seconds(name: &str, value: Option<u64>, max: u64) -> Result<Option<Duration>, SqsError> {
    match value {
        Some(value) if value > max => Err(SqsError::InvalidParameterValue(format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be between 0 and {max}, if provided."
        ))),
        value => Ok(value.map(Duration::from_secs)),
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

fn to_json(message: &Received, wanted: &[String]) -> Value {
    let attributes = select(message.attributes.to_vec(), wanted);
    let mut json = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.md5,
        "Body": message.body,
    });
    if !attributes.is_empty() {
        json["Attributes"] = attributes.into();
    }
    json
}

fn select(attributes: Vec<(&'static str, String)>, wanted: &[String]) -> Map<String, Value> {
    attributes
        .into_iter()
        .filter(|(name, _)| wanted.iter().any(|wanted| wanted == "All" || wanted == name))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
