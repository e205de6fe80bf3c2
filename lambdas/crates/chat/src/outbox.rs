use std::{mem, sync::Arc};

use tokio::time::Instant;

use crate::{Error, ErrorCode, Limits, StopReason, StreamEvent, StreamId, Timing, Usage, wire};

/// Text that waits for the sink, at most; the model is not read while there is more.
const FULL_AT_BYTES: usize = 64 * 1024;

/// What has not been sent yet, as few events as possible. The one place that counts `seq`.
pub(crate) struct Outbox {
    stream_id: StreamId,
    received_at: Instant,
    max_delta_bytes: usize,
    next_seq: u64,
    start: Option<Arc<str>>,
    text: String,
    ping: bool,
    end: End,
    first_token_at: Option<Instant>,
    delta_taken: bool,
}

enum End {
    Open,
    Due(Result<(StopReason, Option<Usage>), ErrorCode>),
    Taken,
}

impl Outbox {
    pub(crate) fn new(stream_id: StreamId, model: Arc<str>, limits: &Limits) -> Self {
        Self {
            stream_id,
            received_at: limits.received_at,
            max_delta_bytes: limits.max_delta_bytes,
            next_seq: 0,
            start: Some(model),
            text: String::new(),
            ping: false,
            end: End::Open,
            first_token_at: None,
            delta_taken: false,
        }
    }

    pub(crate) fn push_text(&mut self, text: String, at: Instant) {
        self.first_token_at.get_or_insert(at);
        if self.text.is_empty() {
            self.text = text;
        } else {
            self.text.push_str(&text);
        }
    }

    pub(crate) fn push_ping(&mut self) {
        self.ping = true;
    }

    /// The first end counts: a stream has exactly one.
    pub(crate) fn end(&mut self, result: Result<(StopReason, Option<Usage>), ErrorCode>) {
        if self.is_open() {
            self.end = End::Due(result);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.end, End::Open)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.text.len() < FULL_AT_BYTES
    }

    /// Whether something waits that must not be held back to coalesce it, the first token above all.
    pub(crate) fn is_urgent(&self) -> bool {
        let first_delta = self.has_text() && !self.delta_taken;
        self.start.is_some() || self.ping || first_delta || !self.is_open() || !self.has_room()
    }

    pub(crate) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            first_token_ms: self.first_token_at.map(|at| millis_between(self.received_at, at)),
            total_ms: millis_between(self.received_at, Instant::now()),
        }
    }

    /// Everything that waits, in order. A ping is left out where it would say nothing new.
    pub(crate) fn take(&mut self) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        if let Some(model) = self.start.take() {
            events.push(StreamEvent::Start { stream_id: self.stream_id.clone(), seq: self.count(), model });
        }
        let mut text = mem::take(&mut self.text);
        self.delta_taken |= !text.is_empty();
        while !text.is_empty() {
            let (head, _) = wire::split_at_json_len(&text, self.max_delta_bytes);
            let rest = text.split_off(head.len());
            let (stream_id, seq) = (self.stream_id.clone(), self.count());
            events.push(StreamEvent::Delta { stream_id, seq, text });
            text = rest;
        }
        if let Some(end) = self.take_end() {
            events.push(end);
        }
        if mem::take(&mut self.ping) && events.is_empty() {
            events.push(StreamEvent::Ping { stream_id: Some(self.stream_id.clone()) });
        }
        events
    }

    fn take_end(&mut self) -> Option<StreamEvent> {
        let result = match mem::replace(&mut self.end, End::Taken) {
            End::Due(result) => result,
            End::Open => {
                self.end = End::Open;
                return None;
            }
            End::Taken => return None,
        };
        let (stream_id, seq) = (self.stream_id.clone(), self.count());
        Some(match result {
            Ok((stop_reason, usage)) => {
                StreamEvent::Done { stream_id, seq, stop_reason, usage, timing: self.timing() }
            }
            Err(code) => {
                StreamEvent::Error { stream_id: Some(stream_id), seq: Some(seq), error: Error::from(code) }
            }
        })
    }

    fn count(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }
}

fn millis_between(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(u64::MAX)
}
