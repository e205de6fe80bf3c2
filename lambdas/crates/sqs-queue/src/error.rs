use std::fmt;

use aws_call::error_name;
use serde::Deserialize;
use startup::HttpError;

/// A call that was not done, or it is not known whether it was. What was sent is not in it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("SQS was not reached")]
    Call(#[from] HttpError),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What SQS says instead of doing it.
#[derive(Debug)]
pub struct Refusal {
    status: u16,
    /// Such as `QueueDoesNotExist`; empty if it has none.
    name: String,
    /// SQS's words where they say which permission is missing: those of other errors may quote the message.
    reason: Option<String>,
}

/// Throttles and timeouts, which come as a 400 too.
const PASSING: [&str; 6] = [
    "KmsThrottled",
    "RequestThrottled",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
];

impl QueueError {
    /// Whether another try may do better.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Call(_) => true,
            Self::Refused(Refusal { status, name, .. }) => {
                *status == 429 || *status >= 500 || PASSING.contains(&name.as_str())
            }
        }
    }
}

impl Refusal {
    /// What comes without a body that can be read comes from something on the way, and has a status at least.
    pub(crate) fn parse(status: u16, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Said {
            /// `com.amazonaws.sqs#QueueDoesNotExist`
            #[serde(rename = "__type", default)]
            kind: String,
            #[serde(alias = "Message", default)]
            message: Option<String>,
        }
        let Said { kind, message } = serde_json::from_slice(body).unwrap_or_default();
        let name = error_name(&kind);
        let reason = message.filter(|_| name == "AccessDeniedException");
        Self { status, name: name.to_owned(), reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, name, reason } = self;
        write!(f, "SQS answered {status}")?;
        if !name.is_empty() {
            write!(f, " {name}")?;
        }
        match reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}
