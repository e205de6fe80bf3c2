use std::fmt;

use aws_call::{error_name, one_word};
use serde::Deserialize;
use startup::HttpError;

use super::api::Item;

/// A call that was not done, or it is not known whether it was. Items, which hold answers, are neither in its `Display`
/// nor in its `Debug`.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("DynamoDB was not reached")]
    Call(#[from] HttpError),
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// Where and not what.
    #[error("DynamoDB's answer is not what it should be, at its byte {at}")]
    Unreadable { at: usize },
}

/// What `DynamoDB` says instead of doing it.
#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(skip)]
    status: u16,
    /// `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException`
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(rename = "message", alias = "Message", default)]
    message: Option<String>,
    /// As it is, where a condition fails.
    #[serde(rename = "Item", default)]
    item: Option<Item>,
    /// One for each item of a transaction, in their order.
    #[serde(rename = "CancellationReasons", default)]
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    item: Option<Item>,
}

/// Kinds of refusals that decide what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ConditionFailed,
    Conflict,
    Cancelled,
    /// Of those that are tried again though they are a 400.
    Passing,
    Other,
}

/// What may go better a moment later: the errors of "Error handling with DynamoDB" that are "OK to retry", and those of
/// all of AWS's services for which the SDKs do it (`THROTTLING_ERRORS` and `TRANSIENT_ERRORS` in their sources).
const PASSING: [&str; 12] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

impl ApiError {
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self::Unreadable { at: error.column() }
    }

    /// Whether another try may do better. A call that was done although it says otherwise is one that may be done twice:
    /// all of the log's are.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Call(_) => true,
            Self::Refused(refusal) => refusal.status >= 500 || refusal.kind() == Kind::Passing,
            Self::Unreadable { .. } => false,
        }
    }
}

impl Refusal {
    /// What comes without a body that can be read comes from something on the way, and has a status at least.
    pub(super) fn parse(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(refusal) => Self { status, ..refusal },
            Err(_) => Self { status, kind: String::new(), message: None, item: None, reasons: Vec::new() },
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.name() {
            "ConditionalCheckFailedException" => Kind::ConditionFailed,
            "TransactionConflictException" => Kind::Conflict,
            "TransactionCanceledException" => Kind::Cancelled,
            name if PASSING.contains(&name) => Kind::Passing,
            _ => Kind::Other,
        }
    }

    pub(super) fn into_item(self) -> Option<Item> {
        self.item
    }

    pub(super) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    fn name(&self) -> &str {
        error_name(&self.kind)
    }
}

impl Reason {
    pub(super) fn condition_failed(&self) -> bool {
        self.code == "ConditionalCheckFailed"
    }

    pub(super) fn item(&self) -> Option<&Item> {
        self.item.as_ref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DynamoDB answered {}", self.status)?;
        if !self.name().is_empty() {
            write!(f, " {}", self.name())?;
        }
        if !self.reasons.is_empty() {
            let codes: Vec<_> = self.reasons.iter().map(|reason| one_word(&reason.code)).collect();
            write!(f, " ({})", codes.join(", "))?;
        }
        // Says which permission is missing. Those of other errors may quote what they refuse.
        match &self.message {
            Some(message) if self.name() == "AccessDeniedException" => write!(f, ": {message}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Refusal {}
