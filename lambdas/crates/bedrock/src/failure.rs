//! Bedrock's errors as what they mean to a caller.

use chat::{ModelError, ModelErrorKind};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use startup::HttpError;

use crate::frame::BadFrame;

/// More of a message than a person reads is not kept.
const MESSAGE_CHARS: usize = 300;

/// Why there is no answer, or no more of it. What is said here is logged: it never holds text of the answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("Bedrock answered {status} {code}: {message}")]
    Refused { status: StatusCode, code: String, message: String },
    #[error("{code}: {message}")]
    Exception { code: String, message: String },
    #[error("the event `{0}` cannot be read")]
    Event(&'static str),
    #[error(transparent)]
    Frame(#[from] BadFrame),
    #[error("the stream ended in the middle of a frame")]
    Cut,
    #[error("the connection broke")]
    Broken(#[from] hyper::Error),
}

impl From<Failure> for ModelError {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::Refused { status, code, .. } => kind_of(code, Some(*status)),
            Failure::Exception { code, .. } => kind_of(code, None),
            Failure::Event(_) | Failure::Frame(_) | Failure::Cut => ModelErrorKind::Garbled,
            Failure::Broken(_) => ModelErrorKind::Unavailable,
        };
        Self::new(kind, failure)
    }
}

/// No answer at all.
pub(crate) fn of_call(error: HttpError) -> ModelError {
    let kind = match &error {
        HttpError::TimedOut { .. } => ModelErrorKind::TimedOut,
        HttpError::Failed { .. } => ModelErrorKind::Unavailable,
    };
    ModelError::new(kind, error)
}

/// Before the stream: a status, and an error type in a header, with the address of its definition behind a colon; or, from
/// what stands before Bedrock, in the body.
pub(crate) fn before_stream(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let of_header = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let body = Said::parse(body);
    let code = of_header.map(str::to_owned).or(body.code).unwrap_or_default();
    // `ThrottlingException:http://…`, `com.amazon.coral.service#ThrottlingException`
    let code = code.split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    Failure::Refused { status, code, message: excerpt(&body.message) }
}

/// An exception of the API, in the stream.
pub(crate) fn in_stream(code: &str, payload: &[u8]) -> Failure {
    Failure::Exception { code: code.to_owned(), message: excerpt(&Said::parse(payload).message) }
}

/// An error that the API does not know, in the stream.
pub(crate) fn unknown(code: &str, message: &str) -> Failure {
    Failure::Exception { code: code.to_owned(), message: excerpt(message) }
}

/// What an error's JSON says; nothing, if it is none.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(alias = "__type")]
    code: Option<String>,
    #[serde(alias = "Message", alias = "errorMessage")]
    message: String,
}

impl Said {
    fn parse(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }
}

fn excerpt(message: &str) -> String {
    message.chars().take(MESSAGE_CHARS).collect()
}

/// By the error type where it is known
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>), else by status.
fn kind_of(code: &str, status: Option<StatusCode>) -> ModelErrorKind {
    let code = code.trim_end_matches("Exception");
    match code.to_ascii_lowercase().as_str() {
        "throttling" | "servicequotaexceeded" => ModelErrorKind::Throttled,
        "serviceunavailable" | "internalserver" | "modelnotready" | "modelstreamerror" => {
            ModelErrorKind::Unavailable
        }
        "modeltimeout" => ModelErrorKind::TimedOut,
        "validation" | "accessdenied" | "resourcenotfound" | "modelerror" => ModelErrorKind::Rejected,
        _ => match status.map(|status| status.as_u16()) {
            Some(429) => ModelErrorKind::Throttled,
            Some(400..=499) => ModelErrorKind::Rejected,
            _ => ModelErrorKind::Unavailable,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_types_mean_the_same_before_and_in_the_stream() {
        let check = |code: &str, status: Option<u16>, expect| {
            let status = status.map(|status| StatusCode::from_u16(status).unwrap());
            assert_eq!(kind_of(code, status), expect, "{code} {status:?}");
        };
        check("ThrottlingException", Some(429), ModelErrorKind::Throttled);
        check("throttlingException", None, ModelErrorKind::Throttled);
        check("modelStreamErrorException", None, ModelErrorKind::Unavailable);
        check("ModelNotReadyException", Some(429), ModelErrorKind::Unavailable);
        check("ValidationException", Some(400), ModelErrorKind::Rejected);
        check("AccessDeniedException", Some(403), ModelErrorKind::Rejected);
        check("ModelTimeoutException", Some(408), ModelErrorKind::TimedOut);
        check("", Some(429), ModelErrorKind::Throttled);
        check("UnrecognizedClientException", Some(403), ModelErrorKind::Rejected);
        check("", Some(503), ModelErrorKind::Unavailable);
        check("somethingNewException", None, ModelErrorKind::Unavailable);
    }

    #[test]
    fn an_error_is_found_wherever_it_stands() {
        let check = |header: Option<&str>, body: &str, expect: &str| {
            let headers = header.map(|value| ("x-amzn-errortype".parse().unwrap(), value.parse().unwrap()));
            let failure =
                before_stream(StatusCode::BAD_REQUEST, &headers.into_iter().collect(), body.as_bytes());
            assert_eq!(failure.to_string(), format!("Bedrock answered 400 Bad Request {expect}"));
        };
        let message = r#"{"message":"Too many tokens."}"#;
        check(Some("ThrottlingException"), message, "ThrottlingException: Too many tokens.");
        check(
            Some("ThrottlingException:http://internal.amazon.com/coral/"),
            message,
            "ThrottlingException: Too many tokens.",
        );
        check(
            None,
            r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","Message":"No."}"#,
            "UnrecognizedClientException: No.",
        );
        check(None, "<html>", ": ");
        check(None, &format!(r#"{{"message":"{}"}}"#, "ä".repeat(999)), &format!(": {}", "ä".repeat(300)));
    }
}
