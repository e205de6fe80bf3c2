//! The one operation.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Backend, Bedrock,
    builtin::{BrokenOff, Playback},
    error::Refusal,
    request::Conversation,
};

/// Bedrock takes 20 MB.
const MAX_REQUEST: usize = 20_000_000;
const ACTION: &str = "bedrock:InvokeModelWithResponseStream";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

pub(super) fn router(bedrock: Bedrock) -> Router {
    Router::new()
        .route("/model/{model_id}/converse-stream", post(converse_stream))
        .fallback(async || Refusal::unknown_operation())
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(bedrock)
}

async fn converse_stream(
    State(bedrock): State<Bedrock>,
    Path(model_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut response = match answer(&bedrock, model_id, &uri, &headers, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    let id = HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is visible ASCII");
    response.headers_mut().entry(REQUEST_ID).or_insert(id);
    response
}

async fn answer(
    bedrock: &Bedrock,
    model_id: String,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let inner = &bedrock.inner;
    inner.identities.authorize(&Method::POST, uri, headers, &body, "bedrock", ACTION)?;
    if !is_model_id(&model_id) {
        return Err(Refusal::validation("The provided model identifier is invalid."));
    }
    let request: Value =
        serde_json::from_slice(&body).map_err(|_| Refusal::validation("The request is not valid JSON."))?;
    let planned = inner.faults.of(&body);
    // Another Bedrock knows more than we do and judges for itself, unless a script stands in for it.
    let scripted = planned.as_ref().is_some_and(|planned| planned.plan.model.is_some())
        || inner.script.lock().expect("the script's lock").is_some();
    let conversation = match &inner.backend {
        Backend::Bedrock(endpoint) if !scripted => {
            let record = inner.journal.open(model_id, request, body.clone(), planned);
            return endpoint.pass(uri, headers, body, record).await;
        }
        Backend::Bedrock(_) | Backend::BuiltIn | Backend::OpenAi(_) => Conversation::parse(&request)?,
    };
    let record = inner.journal.open(model_id, request, body, planned.clone());
    match (bedrock.next_script(planned.as_deref())?, &inner.backend) {
        (Some(script), _) => Ok(stream(Playback::scripted(script, &conversation, record).frames())),
        (None, Backend::OpenAi(server)) => Ok(stream(server.open(&conversation, record).await?.map(Ok))),
        (None, Backend::BuiltIn | Backend::Bedrock(_)) => {
            Ok(stream(Playback::usual(&conversation, record).frames()))
        }
    }
}

/// Each item is a chunk of its own, and hyper flushes whenever the next is not there yet.
fn stream(frames: impl Stream<Item = Result<Bytes, BrokenOff>> + Send + 'static) -> Response {
    let body = Body::from_stream(frames);
    ([(header::CONTENT_TYPE, "application/vnd.amazon.eventstream")], body).into_response()
}

/// A model id, an inference profile's id, or the ARN of either.
fn is_model_id(id: &str) -> bool {
    (1..=2048).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
}
