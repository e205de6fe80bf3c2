//! The request JSON of the contract, which all three architectures read with the same parser.

use auth::Caller;
use chat::{ChatRequest, ErrorCode, InvalidRequest, MAX_BODY_BYTES, MAX_MESSAGES, RequestLimits};
use serde_json::{Map, Value, json};

const MAX_OUTPUT_TOKENS: u32 = 1024;

/// A refusal quotes the caller, but must fit into one small message.
const MAX_ERROR_BYTES: usize = 1024;

/// What a job may be longer than its request: it goes through a queue whose messages have a limit, too.
const MAX_JOB_OVERHEAD: usize = 1024;

pub(crate) fn run(data: &[u8]) {
    let read = parse(data);
    match &read {
        Ok(request) => check_accepted(request, data),
        Err(invalid) => check_refused(invalid, data),
    }
    // The same members written by somebody else; no member is there twice, so the rules alone decide.
    let Ok(Value::Object(members)) = serde_json::from_slice(data) else {
        assert!(read.is_err(), "what is no JSON object was accepted");
        return;
    };
    let rewritten = serde_json::to_vec(&members).expect("a JSON value always serializes");
    let expected = rewritten.len() <= MAX_BODY_BYTES && follows_the_rules(&members);
    assert_eq!(parse(&rewritten).is_ok(), expected, "the rules of the contract say otherwise");
    assert!(expected || read.is_err() || rewritten.len() > MAX_BODY_BYTES, "accepted against the rules");
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let golden = golden::requests();
    let valid = golden.valid.iter().map(|case| case.request.bytes());
    let invalid = golden.invalid.iter().map(|case| case.body.bytes());
    let full = json!({
        "action": "stream", "stream_id": "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f", "system": "s", "max_tokens": 7,
        "messages": [
            {"role": "user", "content": "\u{2028}\u{1f600}\r\n\\ud800"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
    });
    valid.chain(invalid).chain([full.to_string().into_bytes()]).collect()
}

pub(crate) fn parse(body: &[u8]) -> Result<ChatRequest, InvalidRequest> {
    let caller = Caller::from_queued_owner("ann".to_owned()).expect("ann is somebody");
    ChatRequest::parse(caller, body, RequestLimits { max_output_tokens: MAX_OUTPUT_TOKENS })
}

fn check_accepted(request: &ChatRequest, data: &[u8]) {
    assert!(data.len() <= MAX_BODY_BYTES);
    if let Some(id) = ChatRequest::stream_id_of(data) {
        assert_eq!(request.stream_id, id, "the id that an error would have named");
    }
    let again = json!({
        "messages": request.messages, "system": request.system, "max_tokens": request.max_tokens,
        "stream_id": request.stream_id.as_str(),
    });
    let body = again.to_string().into_bytes();
    if body.len() <= MAX_BODY_BYTES {
        assert_eq!(parse(&body).as_ref(), Ok(request), "what was understood is understood again");
    }
    let job = appsync_job::write(request.clone());
    assert!(job.len() <= data.len() + MAX_JOB_OVERHEAD, "{} bytes", job.len());
    assert_eq!(appsync_job::read(&job).as_ref().ok(), Some(request), "the worker gets what was asked");
}

fn check_refused(invalid: &InvalidRequest, data: &[u8]) {
    let error = invalid.clone().into_error();
    let too_large = data.len() > MAX_BODY_BYTES;
    let expected = if too_large { ErrorCode::PayloadTooLarge } else { ErrorCode::InvalidRequest };
    assert_eq!(error.code, expected);
    assert!(error.message.len() <= MAX_ERROR_BYTES, "{} bytes of message", error.message.len());
    let is_json = serde_json::from_slice::<Map<String, Value>>(data).is_ok();
    let names_a_field = error.message.contains('`');
    assert!(too_large || !is_json || names_a_field, "no field is named: {}", error.message);
}

/// The rules of `protocol/README.md`, once more and written otherwise.
fn follows_the_rules(members: &Map<String, Value>) -> bool {
    const FIELDS: [&str; 6] = ["prompt", "messages", "system", "stream_id", "max_tokens", "action"];
    let given = |name: &str| members.get(name).filter(|value| !value.is_null());
    let is_text = |value: &Value| {
        value.as_str().is_some_and(|text| !text.chars().all(char::is_whitespace) && !text.contains('\0'))
    };
    let conversation = match (given("prompt"), given("messages")) {
        (Some(prompt), None) => is_text(prompt),
        (None, Some(Value::Array(turns))) => {
            turns.len() % 2 == 1
                && turns.len() <= MAX_MESSAGES
                && turns.iter().zip(["user", "assistant"].iter().cycle()).all(|(turn, role)| {
                    turn.as_object().is_some_and(|turn| turn.len() == 2)
                        && turn["role"] == **role
                        && turn.get("content").is_some_and(is_text)
                })
        }
        _ => false,
    };
    conversation
        && members.keys().all(|name| FIELDS.contains(&name.as_str()))
        && given("system").is_none_or(is_text)
        && given("action").is_none_or(Value::is_string)
        && given("stream_id").is_none_or(|id| id.as_str().is_some_and(is_uuid))
        && given("max_tokens").is_none_or(|max| {
            max.as_u64().is_some_and(|max| (1..=u64::from(MAX_OUTPUT_TOKENS)).contains(&max))
        })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
