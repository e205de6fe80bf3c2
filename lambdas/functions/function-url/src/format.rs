//! The bytes of an answer, in the formats of the contract.

use chat::{StreamEvent, wire};
use http::{HeaderValue, StatusCode, header};
use lambda_http::Request;
use lambda_runtime::MetadataPrelude;

use crate::responder::head;

/// How the events are written into the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/event-stream`: `id: <seq>` and `data: <json>`; a ping is a comment.
    EventStream,
    /// `application/x-ndjson`: one event a line.
    Ndjson,
    /// `text/plain`: the bare text. An error cannot be written without being read as text, so it breaks the body
    /// off instead.
    Text,
}

impl Format {
    /// The first type of `Accept` that we have, or `text/event-stream`.
    pub(crate) fn accepted_by(request: &Request) -> Self {
        let accept =
            request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        accept
            .split(',')
            .find_map(|range| match range.split(';').next().unwrap_or_default().trim() {
                "text/event-stream" => Some(Self::EventStream),
                "application/x-ndjson" => Some(Self::Ndjson),
                "text/plain" => Some(Self::Text),
                _ => None,
            })
            .unwrap_or(Self::EventStream)
    }

    pub(crate) fn head(self) -> MetadataPrelude {
        head(
            StatusCode::OK,
            HeaderValue::from_static(match self {
                Self::EventStream => "text/event-stream",
                Self::Ndjson => "application/x-ndjson",
                Self::Text => "text/plain; charset=utf-8",
            }),
        )
    }

    /// Appends the event as it crosses the wire.
    pub fn write(self, body: &mut Vec<u8>, event: &StreamEvent) {
        match self {
            Self::EventStream => write_event_stream(body, event),
            Self::Ndjson => {
                wire::write_json(event, body);
                body.push(b'\n');
            }
            Self::Text => match event {
                StreamEvent::Delta { text, .. } => body.extend_from_slice(text.as_bytes()),
                StreamEvent::Start { .. }
                | StreamEvent::Ping { .. }
                | StreamEvent::Done { .. }
                | StreamEvent::Error { .. } => {}
            },
        }
    }
}

/// <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>. The JSON holds no
/// line break, so one `data` line is enough.
fn write_event_stream(body: &mut Vec<u8>, event: &StreamEvent) {
    if matches!(event, StreamEvent::Ping { .. }) {
        return body.extend_from_slice(b": ping\n\n");
    }
    if let Some(seq) = event.seq() {
        body.extend_from_slice(b"id: ");
        body.extend_from_slice(itoa::Buffer::new().format(seq).as_bytes());
        body.push(b'\n');
    }
    body.extend_from_slice(b"data: ");
    wire::write_json(event, body);
    body.extend_from_slice(b"\n\n");
}
