//! What was sent and is not in the store yet.
//!
//! Not a channel: the sink, which must not wait, and the pen share a task with the answer, and a channel would have all of it
//! polled once more at every token. The pen is told when there is a first event, and when there is a chunk.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard},
};

use chat::StreamEvent;
use tokio::{sync::Notify, time::timeout};

use crate::{Notes, chunk, pace, recording::lock};

/// What a stream came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    events: u64,
    text_bytes: u64,
    /// Whether the stream told its own end.
    pub(crate) terminal: bool,
    pub(crate) notes: Notes,
}

/// Events in order, a line each.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) text: String,
}

#[derive(Debug, Default)]
pub(crate) struct Records {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Only the last may have room.
    lines: VecDeque<Lines>,
    bytes: usize,
    tally: Tally,
    ended: bool,
}

impl Records {
    /// Whether there was room for it. A ping is not a part of the answer.
    pub(crate) fn put(&self, events: &[StreamEvent]) -> bool {
        let mut waiting = self.waiting();
        let (was_empty, was_due) = (waiting.lines.is_empty(), waiting.is_due());
        for event in events {
            waiting.tally.note(event);
            if let Some(seq) = event.seq()
                && !waiting.push(seq, chunk::line(event))
            {
                return false;
            }
        }
        if was_empty || waiting.is_due() != was_due {
            self.changed.notify_one();
        }
        true
    }

    /// There will be no more.
    pub(crate) fn end(&self) {
        self.waiting().ended = true;
        self.changed.notify_one();
    }

    pub(crate) async fn ended(&self) {
        self.until(|waiting| waiting.ended).await;
    }

    /// Resolves when it is time to write something, or when there is nothing more to write.
    pub(crate) async fn due(&self) {
        self.until(|waiting| waiting.ended || !waiting.lines.is_empty()).await;
        // It is due by then, however little it is.
        let _ = timeout(pace::CHUNK_EVERY, self.until(Waiting::is_due)).await;
    }

    pub(crate) fn take(&self) -> Option<Lines> {
        let mut waiting = self.waiting();
        let lines = waiting.lines.pop_front()?;
        waiting.bytes -= lines.text.len();
        Some(lines)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.waiting().ended
    }

    pub(crate) fn tally(&self) -> Tally {
        mem::take(&mut self.waiting().tally)
    }

    async fn until(&self, is_so: impl Fn(&Waiting) -> bool) {
        while !is_so(&self.waiting()) {
            self.changed.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }
}

impl Waiting {
    fn is_due(&self) -> bool {
        self.ended || self.lines.front().is_some_and(Lines::is_full)
    }

    fn push(&mut self, seq: u64, line: String) -> bool {
        if self.bytes + line.len() >= pace::WAITING_BYTES {
            return false;
        }
        self.bytes += line.len();
        match self.lines.back_mut().filter(|lines| !lines.is_full()) {
            Some(lines) => {
                lines.last = seq;
                lines.text.push('\n');
                lines.text.push_str(&line);
                self.bytes += 1;
            }
            None => self.lines.push_back(Lines { first: seq, last: seq, text: line }),
        }
        true
    }
}

impl Lines {
    fn is_full(&self) -> bool {
        self.text.len() >= pace::CHUNK_BYTES
    }
}

impl Tally {
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// As billed; where the model did not say, three bytes of text are taken for a token, which is more than most
    /// languages have.
    pub(crate) fn output_tokens(&self) -> u64 {
        self.notes.output_tokens.unwrap_or(self.text_bytes.div_ceil(3))
    }

    fn note(&mut self, event: &StreamEvent) {
        self.events += u64::from(event.seq().is_some());
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

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Poll, Wake},
    };

    use chat::StreamId;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn delta(seq: u64, text: &str) -> [StreamEvent; 1] {
        [StreamEvent::Delta { stream_id: StreamId::random(), seq, text: text.to_owned() }]
    }

    #[tokio::test(start_paused = true)]
    async fn the_pen_is_told_of_a_first_event_and_of_a_chunk_and_of_nothing_between() {
        let records = Records::default();
        let wakes = Arc::new(Wakes::default());
        let woken = || wakes.0.load(Ordering::SeqCst);
        let counted = wakes.clone().into();
        let mut due = pin!(records.due());
        let mut poll = || due.as_mut().poll(&mut Context::from_waker(&counted));
        assert_eq!((poll(), woken()), (Poll::Pending, 0));
        for seq in 0..100 {
            assert!(records.put(&delta(seq, "a token")));
            assert_eq!((poll(), woken()), (Poll::Pending, 1), "event {seq}");
        }
        assert!(records.put(&delta(100, &"x".repeat(pace::CHUNK_BYTES))));
        assert_eq!((poll(), woken()), (Poll::Ready(()), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_chunk_ends_when_it_is_full_and_nothing_is_between_two() {
        let records = Records::default();
        let line = "x".repeat(100);
        for seq in 0..100 {
            assert!(records.put(&delta(seq, &line)));
        }
        let mut next = 0;
        while let Some(lines) = records.take() {
            assert_eq!((lines.first, lines.text.lines().count() as u64), (next, lines.last + 1 - next));
            assert!(lines.text.len() < pace::CHUNK_BYTES + 200, "{}", lines.text.len());
            next = lines.last + 1;
        }
        assert_eq!(next, 100);
        assert_eq!(records.waiting().bytes, 0);
    }
}
