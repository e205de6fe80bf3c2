//! The log's own pen: gathers what was sent into chunks and writes them, however long that takes.

use std::{future::pending, mem, sync::atomic::Ordering};

use chat::StreamEvent;
use startup::Causes;
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tracing::warn;

use crate::{
    Chunk, Key, Notes, Store, chunk, pace,
    recording::{Record, Recorder},
};

/// What a stream came to.
#[derive(Debug, Default)]
pub(crate) struct Written {
    events: u64,
    text_bytes: u64,
    /// Whether the stream told its own end.
    pub(crate) terminal: bool,
    pub(crate) notes: Notes,
    /// Calls of the store that failed.
    pub(crate) failures: u64,
}

impl Written {
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// As billed; where the model did not say, three bytes of text are taken for a token, which is more than most
    /// languages have.
    pub(crate) fn output_tokens(&self) -> u64 {
        self.notes.output_tokens.unwrap_or(self.text_bytes.div_ceil(3))
    }

    fn note(&mut self, event: &StreamEvent) {
        self.events += 1;
        match event {
            StreamEvent::Delta { text, .. } => self.text_bytes += text.len() as u64,
            StreamEvent::Done { stop_reason, usage, timing, .. } => {
                self.terminal = true;
                self.notes = Notes {
                    stop_reason: Some(stop_reason.as_str()),
                    input_tokens: usage.map(|usage| usage.input_tokens),
                    output_tokens: usage.map(|usage| usage.output_tokens),
                    first_token_ms: timing.first_token_ms,
                    total_ms: Some(timing.total_ms),
                };
            }
            StreamEvent::Error { .. } => self.terminal = true,
            StreamEvent::Start { .. } | StreamEvent::Ping { .. } => {}
        }
    }
}

/// Writes until the end of the records.
pub(crate) async fn write<S: Store>(
    store: &S,
    key: &Key,
    mut records: mpsc::UnboundedReceiver<Record>,
    recorder: &Recorder,
    expires_at: u64,
) -> Written {
    let mut written = Written::default();
    let mut pending = Pending::default();
    loop {
        let record = select! {
            biased;
            () = pending.due() => None,
            record = records.recv() => Some(record.unwrap_or(Record::End)),
        };
        match record {
            Some(Record::Events(events)) => {
                recorder.taken(&events);
                for event in &events {
                    written.note(event);
                    pending.push(event);
                }
            }
            None => pending.flush(store, key, recorder, &mut written, expires_at).await,
            Some(Record::End) => {
                pending.flush(store, key, recorder, &mut written, expires_at).await;
                if !pending.events.is_empty() {
                    recorder.lost.store(true, Ordering::Relaxed);
                }
                return written;
            }
        }
    }
}

/// Events that are not written yet.
#[derive(Default)]
struct Pending {
    first: u64,
    last: u64,
    events: String,
    due: Option<Instant>,
    failed: bool,
}

impl Pending {
    fn push(&mut self, event: &StreamEvent) {
        let Some(seq) = event.seq() else { return };
        if self.events.is_empty() {
            self.first = seq;
            self.due = Some(Instant::now() + pace::CHUNK_EVERY);
        } else {
            self.events.push('\n');
        }
        self.last = seq;
        self.events.push_str(&chunk::line(event));
        if self.events.len() >= pace::CHUNK_BYTES && !self.failed {
            self.due = Some(Instant::now());
        }
    }

    /// When it is time to write.
    async fn due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
    }

    /// What could not be written waits for the next time, with what has come since.
    async fn flush<S: Store>(
        &mut self,
        store: &S,
        key: &Key,
        recorder: &Recorder,
        written: &mut Written,
        expires_at: u64,
    ) {
        if self.events.is_empty() || recorder.lost.load(Ordering::Relaxed) {
            *self = Self::default();
            return;
        }
        let (first, last) = (self.first, self.last);
        let full = Chunk { first, last, events: mem::take(&mut self.events), expires_at };
        let Err(error) = store.append(key, &full).await else {
            *self = Self::default();
            return;
        };
        written.failures += 1;
        if written.failures == 1 {
            warn!(stream_id = key.stream_id.as_str(), error = %Causes(&error), "events were not kept");
        }
        self.events = full.events;
        self.failed = true;
        self.due = Some(Instant::now() + pace::AFTER_FAILURE);
        if self.events.len() > pace::PENDING_BYTES {
            recorder.lost.store(true, Ordering::Relaxed);
        }
    }
}
