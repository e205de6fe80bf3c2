//! Requests about an answer that has been asked for.

use serde::Deserialize;

use crate::{InvalidRequest, StreamId, body::read_object};

/// Ends an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequest {
    pub stream_id: StreamId,
}

/// Asks for what a client has not heard of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeRequest {
    pub stream_id: StreamId,
    /// The `seq` of the last event that was received; `None`: from the beginning.
    pub after: Option<u64>,
}

impl CancelRequest {
    /// Reads `{"stream_id": ...}`.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidRequest> {
        let raw: RawCancel = read_object(body)?;
        Ok(Self { stream_id: stream_id(raw.stream_id.as_deref())? })
    }
}

impl ResumeRequest {
    /// Reads `{"stream_id": ..., "after": ...}`.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidRequest> {
        let raw: RawResume = read_object(body)?;
        let after = raw.after.map(|number| number.as_u64().ok_or(InvalidRequest::After)).transpose()?;
        Ok(Self { stream_id: stream_id(raw.stream_id.as_deref())?, after })
    }

    /// From the text of a URL: `after` in decimal digits.
    pub fn from_text(id: &str, after: Option<&str>) -> Result<Self, InvalidRequest> {
        let after = after.map(|text| whole_number(text).ok_or(InvalidRequest::After)).transpose()?;
        Ok(Self { stream_id: stream_id(Some(id))?, after })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCancel {
    stream_id: Option<String>,
    /// API Gateway routes on it; it says nothing to us.
    #[serde(rename = "action")]
    _action: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawResume {
    stream_id: Option<String>,
    after: Option<serde_json::Number>,
    #[serde(rename = "action")]
    _action: Option<String>,
}

fn stream_id(text: Option<&str>) -> Result<StreamId, InvalidRequest> {
    text.and_then(StreamId::parse).ok_or(InvalidRequest::StreamId)
}

/// Digits only: `parse` alone would also take `+7`.
fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
