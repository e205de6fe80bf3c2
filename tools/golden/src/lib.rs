//! The golden files of `protocol/`, read for tests. Whatever is not as `protocol/README.md` describes it is a panic:
//! a field too many in a golden file would otherwise be a promise that nobody checks.

#![forbid(unsafe_code)]

mod event;
mod request;

use chat::StreamEvent;
use serde::Deserialize;
use serde_json::Value;

pub use event::event;
pub use request::{
    Body, Expect, GraphQlRefusal, GraphQlRequest, Invalid, Limits, Recall, Recalled, Requests, Valid,
};

/// `events.json`: one event, as every transport writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventCase {
    pub name: String,
    pub why: String,
    #[serde(rename = "event")]
    pub json: Value,
    /// The bytes of the event, on one line.
    pub line: String,
    /// The variables of `publishToken`, without `sessionId` and `owner`. `None` where the event cannot occur.
    pub graphql: Option<Value>,
}

impl EventCase {
    pub fn event(&self) -> StreamEvent {
        event(&self.json)
    }
}

/// `errors.json`: one code of the contract.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCase {
    pub code: String,
    pub retryable: bool,
    /// Of function-url, when the stream has not begun.
    pub http_status: u16,
    /// What is said where there is nothing more precise to say.
    pub message: String,
}

/// `streams/refused.json`: a request to function-url that gets no stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub name: String,
    pub why: String,
    pub request: HttpRequest,
    /// `missing`, `invalid`, `valid`, or `signed` with a key that cannot be fetched.
    pub token: String,
    /// How the model fails.
    pub model: Option<String>,
    pub status: u16,
    pub headers: serde_json::Map<String, Value>,
    /// The contract's `error` event.
    pub body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    pub method: String,
    pub path: String,
    pub content_type: Option<String>,
    pub body: String,
}

/// `streams/formats.json`: what an `Accept` header gets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormatCase {
    pub accept: Option<String>,
    pub why: String,
    pub content_type: String,
    /// The ending of the files that hold streams in this format.
    pub extension: String,
}

/// A whole stream and how function-url writes it.
#[derive(Debug)]
pub struct Stream {
    pub name: &'static str,
    pub json: Vec<Value>,
    pub sse: &'static str,
    pub ndjson: &'static str,
    pub txt: &'static str,
}

impl Stream {
    pub fn file(&self, extension: &str) -> &'static str {
        match extension {
            "sse" => self.sse,
            "ndjson" => self.ndjson,
            "txt" => self.txt,
            other => panic!("no stream is written as {other}"),
        }
    }
}

macro_rules! file {
    ($($part:literal),+) => {
        include_str!(concat!("../../../protocol/", $($part),+))
    };
}

macro_rules! stream {
    ($name:literal) => {
        Stream {
            name: $name,
            json: parse(concat!($name, ".events.json"), file!("streams/", $name, ".events.json")),
            sse: file!("streams/", $name, ".sse"),
            ndjson: file!("streams/", $name, ".ndjson"),
            txt: file!("streams/", $name, ".txt"),
        }
    };
}

pub fn events() -> Vec<EventCase> {
    parse("events.json", file!("events.json"))
}

pub fn errors() -> Vec<ErrorCase> {
    parse("errors.json", file!("errors.json"))
}

pub fn requests() -> Requests {
    parse("requests.json", file!("requests.json"))
}

pub fn refused() -> Vec<Refused> {
    parse("refused.json", file!("streams/refused.json"))
}

pub fn formats() -> Vec<FormatCase> {
    parse("formats.json", file!("streams/formats.json"))
}

/// One that ends in `done`, and one that ends in `error`.
pub fn streams() -> [Stream; 2] {
    [stream!("answer"), stream!("broken")]
}

fn parse<T: for<'a> Deserialize<'a>>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}
