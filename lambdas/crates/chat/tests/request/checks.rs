use auth::Caller;
use chat::{ChatRequest, ErrorCode, RequestLimits};
use serde_json::{Value, json};

pub(crate) const ID: &str = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";
pub(crate) const LIMITS: RequestLimits = RequestLimits { max_output_tokens: 1024 };

pub(crate) fn parse(body: impl AsRef<[u8]>) -> Result<ChatRequest, (ErrorCode, String)> {
    let caller = Caller::from_queued_owner("ann".into()).unwrap();
    ChatRequest::parse(caller, body.as_ref(), LIMITS).map_err(|invalid| {
        let error = invalid.into_error();
        (error.code, error.message)
    })
}

pub(crate) fn check_ok(name: &str, body: impl AsRef<[u8]>) -> ChatRequest {
    parse(body).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// Refused as `invalid_request`, with a message that holds each of `says`.
pub(crate) fn check_refused(name: &str, body: impl AsRef<[u8]>, says: &[&str]) {
    let (code, message) = parse(body).expect_err(name);
    assert_eq!(code, ErrorCode::InvalidRequest, "{name}");
    for says in says {
        assert!(message.contains(says), "{name}: {message:?} does not say {says:?}");
    }
    assert!(message.len() <= 1000, "{name}: a message of {} bytes", message.len());
}

pub(crate) fn check_all<const N: usize>(cases: [(&str, Value, &[&str]); N]) {
    for (name, body, says) in cases {
        check_refused(name, body.to_string(), says);
    }
}

pub(crate) fn turn(role: &str, content: &str) -> Value {
    json!({ "role": role, "content": content })
}

pub(crate) fn turns(count: usize) -> Value {
    let of = |n: usize| if (count - n) % 2 == 1 { "user" } else { "assistant" };
    json!({ "messages": (0..count).map(|n| turn(of(n), "hi")).collect::<Vec<_>>() })
}
