//! The SDK for Bedrock is what this crate does without (docs/adr/0009-calls-without-sdks.md), and what it is measured
//! against: the same request, and out of the same bytes the same events and errors.

use auth::Caller;
use aws_credential_types::Credentials;
use aws_sdk_bedrockruntime::{
    Client,
    config::{BehaviorVersion, Region, StalledStreamProtectionConfig, retry::RetryConfig},
    error::SdkError,
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, InferenceConfiguration,
        Message as SdkMessage, StopReason as SdkStopReason, SystemContentBlock,
    },
};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bedrock::{BedrockModel, RequestFields};
use chat::{
    Answer as _, ChatRequest, Model as _, ModelErrorKind, ModelEvent, RequestLimits, StopReason, Usage,
};
use scripted_service::{Answer, Asked, ScriptedService};
use serde_json::Value;
use startup::{Aws, HttpClient};

const MODEL: &str =
    "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-haiku-5-5-v1:0";

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test")
}

fn request() -> ChatRequest {
    let json = r#"{"system": "Be brief.", "max_tokens": 100, "messages": [
        {"role": "user", "content": "A \"question\" ü"}, {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"}]}"#;
    let caller = Caller::from_queued_owner("ann".to_owned()).unwrap();
    ChatRequest::parse(caller, json.as_bytes(), RequestLimits { max_output_tokens: 1000 }).unwrap()
}

type Heard = (Vec<ModelEvent>, Option<ModelErrorKind>);

async fn ours(server: &ScriptedService) -> Heard {
    let aws = Aws::new(HttpClient::new(), "eu-west-1".to_owned(), credentials());
    let service = aws_call::Service::new(&aws, "bedrock").unwrap();
    let fields: RequestFields = r#"{"thinking":{"type":"disabled"}}"#.parse().unwrap();
    let model = BedrockModel::new(&service, &server.url.parse().unwrap(), MODEL, Some(fields)).unwrap();
    let mut answer = match model.open(&request()).await {
        Ok(answer) => answer,
        Err(error) => return (Vec::new(), Some(error.kind)),
    };
    let mut events = Vec::new();
    while let Some(event) = answer.next().await {
        match event {
            Ok(event) => events.push(event),
            Err(error) => {
                assert!(answer.next().await.is_none(), "an error is the last of a stream");
                return (events, Some(error.kind));
            }
        }
    }
    (events, None)
}

async fn sdk(server: &ScriptedService) -> Heard {
    let config = aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(credentials())
        .endpoint_url(&server.url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    let request = request();
    let messages = request.messages.iter().map(|message| {
        let role = match message.role {
            chat::Role::User => ConversationRole::User,
            chat::Role::Assistant => ConversationRole::Assistant,
        };
        SdkMessage::builder().role(role).content(ContentBlock::Text(message.content.clone())).build().unwrap()
    });
    let thinking = [("type".to_owned(), "disabled".to_owned().into())].into();
    let fields = [("thinking".to_owned(), aws_smithy_types::Document::Object(thinking))].into();
    let output = Client::from_conf(config)
        .converse_stream()
        .model_id(MODEL)
        .set_messages(Some(messages.collect()))
        .system(SystemContentBlock::Text(request.system.clone().unwrap()))
        .inference_config(InferenceConfiguration::builder().max_tokens(100).build())
        .additional_model_request_fields(aws_smithy_types::Document::Object(fields))
        .send()
        .await;
    let mut stream = match output {
        Ok(output) => output.stream,
        Err(error) => {
            let code = error.as_service_error().and_then(|error| {
                aws_sdk_bedrockruntime::error::ProvideErrorMetadata::code(error).map(str::to_owned)
            });
            return (Vec::new(), Some(kind(&error, code.as_deref())));
        }
    };
    let mut events = Vec::new();
    loop {
        match stream.recv().await {
            Ok(Some(event)) => events.extend(event_of_sdk(event)),
            Ok(None) => return (events, None),
            Err(error) => {
                let name = error.as_service_error().map(|error| format!("{error:?}"));
                return (events, Some(kind(&error, name.as_deref())));
            }
        }
    }
}

fn event_of_sdk(event: ConverseStreamOutput) -> Option<ModelEvent> {
    match event {
        ConverseStreamOutput::ContentBlockDelta(block) => Some(match block.delta {
            Some(ContentBlockDelta::Text(text)) => ModelEvent::Text(text),
            _ => ModelEvent::Activity,
        }),
        ConverseStreamOutput::MessageStop(stop) => Some(ModelEvent::Stop(match stop.stop_reason {
            SdkStopReason::MaxTokens | SdkStopReason::ModelContextWindowExceeded => StopReason::MaxTokens,
            SdkStopReason::StopSequence => StopReason::StopSequence,
            SdkStopReason::ContentFiltered => StopReason::ContentFiltered,
            SdkStopReason::GuardrailIntervened => StopReason::GuardrailIntervened,
            _ => StopReason::EndTurn,
        })),
        ConverseStreamOutput::Metadata(metadata) => metadata
            .usage
            // The SDK makes up what is missing: to it a model that does not count has counted nothing.
            .filter(|usage| usage.total_tokens > 0)
            .map(|usage| {
                ModelEvent::Usage(Usage {
                    input_tokens: u64::try_from(usage.input_tokens).unwrap_or(0),
                    output_tokens: u64::try_from(usage.output_tokens).unwrap_or(0),
                })
            }),
        _ => None,
    }
}

/// What the SDK's errors mean; `name` is that of the service's error.
fn kind<E, R>(error: &SdkError<E, R>, name: Option<&str>) -> ModelErrorKind {
    let name = name.unwrap_or_default();
    match error {
        SdkError::TimeoutError(_) => ModelErrorKind::TimedOut,
        SdkError::ResponseError(_) => ModelErrorKind::Garbled,
        SdkError::ServiceError(_) if name.starts_with("Throttling") => ModelErrorKind::Throttled,
        SdkError::ServiceError(_) if name.starts_with("Validation") || name.starts_with("AccessDenied") => {
            ModelErrorKind::Rejected
        }
        SdkError::ServiceError(_) if name.starts_with("ModelTimeout") => ModelErrorKind::TimedOut,
        _ => ModelErrorKind::Unavailable,
    }
}

/// Says the same to both, the body in chunks of so many bytes.
async fn server(status: &str, header: &str, body: &[u8], chunk: usize) -> ScriptedService {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\n{header}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
            .into_bytes();
    for chunk in body.chunks(chunk) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
    }
    bytes.extend(b"0\r\n\r\n");
    ScriptedService::start([Answer::Bytes(bytes.clone()), Answer::Bytes(bytes)]).await
}

async fn stream(body: &[u8], chunk: usize) -> ScriptedService {
    server("200 OK", "content-type: application/vnd.amazon.eventstream", body, chunk).await
}

fn frame(message_type: &str, name: (&str, &str), payload: &str) -> Vec<u8> {
    let headers = [(":message-type", message_type), name, (":content-type", "application/json")];
    let headers = headers
        .map(|(name, value)| Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into())));
    let mut bytes = Vec::new();
    write_message_to(&Message::new_from_parts(headers.to_vec(), payload.as_bytes().to_vec()), &mut bytes)
        .unwrap();
    bytes
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    frame("event", (":event-type", name), payload)
}

fn exception(name: &str) -> Vec<u8> {
    frame("exception", (":exception-type", name), r#"{"message":"No."}"#)
}

fn text(text: &str) -> Vec<u8> {
    let text = serde_json::to_string(text).unwrap();
    event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":0,"delta":{{"text":{text}}},"p":"abc"}}"#))
}

/// Everything that an answer may consist of; what ends it is last.
fn parts() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut cut = text("cut off");
    cut.pop();
    let mut bad = text("changed");
    bad[30] ^= 1;
    let inside = vec![
        event("messageStart", r#"{"role":"assistant"}"#),
        event(
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"b"}}}"#,
        ),
        text("Hello"),
        text(""),
        text("\u{1F600} \"quoted\" \\ \n\u{0}"),
        event("contentBlockDelta", r#"{"delta":{"text":"\ud83d\ude00 \/"},"contentBlockIndex":0}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0}"#),
        event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        event("somethingNew", "not JSON"),
        event("messageStop", r#"{"stopReason":"end_turn"}"#),
        event("messageStop", r#"{"stopReason":"max_tokens","additionalModelResponseFields":{"a":[1]}}"#),
        event("messageStop", r#"{"stopReason":"model_context_window_exceeded"}"#),
        event("messageStop", r#"{"stopReason":"stop_sequence"}"#),
        event("messageStop", r#"{"stopReason":"content_filtered"}"#),
        event("messageStop", r#"{"stopReason":"guardrail_intervened"}"#),
        event("messageStop", r#"{"stopReason":"something_new"}"#),
        event(
            "metadata",
            r#"{"usage":{"inputTokens":3,"outputTokens":5,"totalTokens":8},"metrics":{"latencyMs":9}}"#,
        ),
        event("metadata", r#"{"metrics":{"latencyMs":9}}"#),
    ];
    let last = vec![
        Vec::new(),
        cut,
        bad,
        exception("internalServerException"),
        exception("modelStreamErrorException"),
        exception("throttlingException"),
        exception("validationException"),
        exception("serviceUnavailableException"),
        exception("somethingNewException"),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":1}}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":"#),
    ];
    (inside, last)
}

#[tokio::test]
async fn out_of_the_same_bytes_come_the_same_events_and_errors() {
    let (inside, last) = parts();
    let mut random = fastrand::Rng::with_seed(7);
    for last in last.iter().cycle().take(120) {
        let mut body: Vec<u8> =
            (0..random.usize(..12)).flat_map(|_| inside[random.usize(..inside.len())].clone()).collect();
        body.extend(last);
        let server = stream(&body, random.usize(1..200)).await;
        let (ours, sdk) = (ours(&server).await, sdk(&server).await);
        assert_eq!(ours, sdk, "ends with {}", String::from_utf8_lossy(last));
    }
}

#[tokio::test]
async fn a_refusal_means_the_same() {
    for (status, name) in [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (429, "ThrottlingException"),
        (408, "ModelTimeoutException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
        (529, "SomethingNewException"),
    ] {
        let header = format!("x-amzn-errortype: {name}:http://a.example/");
        let server = server(&format!("{status} X"), &header, br#"{"message":"No."}"#, 100).await;
        let (ours, sdk) = (ours(&server).await, sdk(&server).await);
        assert_eq!(ours, sdk, "{status} {name}");
        assert!(ours.1.is_some());
    }
}

#[tokio::test]
async fn the_request_is_the_same() {
    let server = stream(&[], 100).await;
    ours(&server).await;
    sdk(&server).await;
    let requests = server.asked();
    let [ours, sdk] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!(ours.line, sdk.line);
    let json = |asked: &Asked| serde_json::from_slice::<Value>(&asked.body).unwrap();
    assert_eq!(json(ours), json(sdk));
    for name in ["host", "content-type", "x-amz-security-token"] {
        assert_eq!(ours.header(name), sdk.header(name), "{name}");
        assert!(ours.header(name).is_some(), "{name}");
    }
    assert_eq!(ours.header("accept"), Some("application/vnd.amazon.eventstream"));
}
