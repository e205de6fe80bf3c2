use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use tokio::{
    select,
    time::{Instant, timeout},
};

use crate::{
    Answer, Cancellation, ErrorCode, EventSink, Limits, ModelError, ModelEvent, SinkError, StopReason,
    StreamEvent, StreamId, Timing, Usage,
    alarm::Alarm,
    handoff::{Handoff, side_by_side},
    outbox::Outbox,
};

/// Events between the reader of the model and the writer of the sink. Small: coalescing happens behind it.
const READ_AHEAD: usize = 32;

/// How long text that was held for the flush interval waits for a token to leave with, at most. That comes soon, mostly, and
/// would be held for the next interval else.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long a send that is under way when the time is up may still take, and then the last event.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the `start` event says.
#[derive(Debug, Clone)]
pub struct Opening {
    pub stream_id: StreamId,
    pub model: Arc<str>,
}

/// How an answer went; what the log and the metrics need.
#[derive(Debug)]
pub struct Outcome {
    pub ending: Ending,
    pub usage: Option<Usage>,
    pub timing: Timing,
    /// Calls of the sink that succeeded, and the events in them.
    pub sends: u64,
    pub events: u64,
    /// What the sink made of them, see [`EventSink::messages`].
    pub messages: u64,
}

/// How it ended for the client.
#[derive(Debug)]
pub enum Ending {
    /// The client has the whole answer.
    Done(StopReason),
    /// The client has a beginning and was told why there is no more. The model's error, where it was the cause.
    Failed(ErrorCode, Option<ModelError>),
    /// Not told, for there was nobody to tell, or no way.
    Undelivered(SinkError),
}

/// Carries an opened answer to the sink, to its end, and says how it went.
///
/// The first token leaves at once. After that one send is in flight at a time, and what arrives meanwhile leaves
/// together in the next. Exactly one terminal event, and it is the last. Whichever side ends first, the answer is
/// dropped before this resolves, and with it the model's connection. What was said before a cancellation is kept.
pub async fn relay<A: Answer>(
    opening: Opening,
    answer: A,
    sink: &mut impl EventSink,
    limits: &Limits,
    cancellation: &Cancellation,
) -> Outcome {
    let handoff = Handoff::new(READ_AHEAD);
    let writer = Writer {
        outbox: Outbox::new(opening.stream_id, opening.model, limits),
        from_reader: &handoff,
        limits,
        alarm: Alarm::at(limits.end_by),
        sends: 0,
        events: 0,
        end: None,
    };
    // The reader is never interrupted in the middle of a read: it runs beside the writer until that one ends.
    side_by_side(&handoff, read(answer, &handoff, limits, cancellation), writer.run(sink)).await
}

/// What the reader found.
enum Read {
    Text(String, Instant),
    End(End),
}

type End = Result<(StopReason, Option<Usage>), (ErrorCode, Option<ModelError>)>;

/// Reads the answer until it ends, one way or another, within the limits.
async fn read(
    mut answer: impl Answer,
    to_writer: &Handoff<Read>,
    limits: &Limits,
    cancellation: &Cancellation,
) {
    let end = select! {
        // Also while the writer takes nothing: a slow client must not keep the model at work.
        biased;
        () = cancellation.requested() => Ok((StopReason::Cancelled, None)),
        end = read_to_the_end(&mut answer, to_writer, limits) => end,
    };
    // The connection to the model is closed before the end is told.
    drop(answer);
    to_writer.put(Read::End(end)).await;
}

async fn read_to_the_end(answer: &mut impl Answer, to_writer: &Handoff<Read>, limits: &Limits) -> End {
    let mut next_by = limits.first_token_by.min(limits.end_by);
    let mut alarm = Alarm::at(next_by);
    let mut stop = None;
    loop {
        let event = select! {
            biased;
            event = answer.next() => Ok(event),
            () = alarm.until(next_by) => Err(()),
        };
        let now = Instant::now();
        match (event, stop) {
            (Ok(Some(Ok(ModelEvent::Text(text)))), None) => {
                if !text.is_empty() {
                    to_writer.put(Read::Text(text, now)).await;
                }
            }
            // A bill before the end would be odd, and is no reason to stop.
            (Ok(Some(Ok(ModelEvent::Activity))), _) | (Ok(Some(Ok(ModelEvent::Usage(_)))), None) => {}
            (Ok(Some(Ok(ModelEvent::Stop(reason)))), None) => stop = Some(reason),
            (Ok(Some(Ok(ModelEvent::Usage(usage)))), Some(reason)) => return Ok((reason, Some(usage))),
            // All the text is there: what is missing is only the bill.
            (Err(()) | Ok(None | Some(_)), Some(reason)) => return Ok((reason, None)),
            (Ok(Some(Err(error))), None) => return Err((error.code(), Some(error))),
            (Ok(None), None) => return Err((ErrorCode::Truncated, None)),
            (Err(()), None) if now >= limits.end_by => return Err((ErrorCode::DeadlineExceeded, None)),
            (Err(()), None) => return Err((ErrorCode::ModelTimeout, Some(ModelError::timed_out()))),
        }
        next_by = (Instant::now() + limits.between_tokens).min(limits.end_by);
    }
}

struct Writer<'a> {
    outbox: Outbox,
    from_reader: &'a Handoff<Read>,
    limits: &'a Limits,
    alarm: Alarm,
    sends: u64,
    events: u64,
    end: Option<(Ending, Option<Usage>)>,
}

impl Writer<'_> {
    async fn run(mut self, sink: &mut impl EventSink) -> Outcome {
        let mut last_send = Instant::now();
        loop {
            self.wait_until_due(last_send).await;
            let events = self.outbox.take();
            last_send = Instant::now();
            if let Err(error) = self.send(sink, &events).await {
                return self.outcome(sink, Ending::Undelivered(error), None);
            }
            self.sends += 1;
            self.events += events.len() as u64;
            if events.last().is_some_and(StreamEvent::is_terminal) {
                let (ending, usage) =
                    self.end.take().expect("a terminal event was sent, so an end was absorbed");
                return self.outcome(sink, ending, usage);
            }
        }
    }

    /// Gathers until there is something to send and nothing to wait for.
    async fn wait_until_due(&mut self, last_send: Instant) {
        let ping_at = last_send + self.limits.ping_every;
        loop {
            while self.outbox.is_open() && self.outbox.has_room() {
                let Some(read) = self.from_reader.take() else { break };
                self.absorb(read);
            }
            let flush_at = last_send + self.limits.flush_interval;
            let now = Instant::now();
            if self.outbox.is_urgent() || (self.outbox.has_text() && now >= flush_at) {
                return;
            }
            let patient_until = flush_at + self.limits.flush_interval.min(PATIENCE);
            let due = if self.outbox.has_text() { patient_until.min(ping_at) } else { ping_at };
            select! {
                biased;
                read = self.from_reader.next() => self.absorb(read),
                () = self.alarm.until(due.min(self.limits.end_by)) => self.ring(ping_at),
            }
        }
    }

    /// What has become of the time. That it is time to flush is seen without being told.
    fn ring(&mut self, ping_at: Instant) {
        let now = Instant::now();
        if now >= self.limits.end_by {
            self.run_out_of_time();
        } else if now >= ping_at {
            self.outbox.push_ping();
        }
    }

    /// One send, and meanwhile whatever arrives is gathered for the next.
    async fn send(&mut self, sink: &mut impl EventSink, events: &[StreamEvent]) -> Result<(), SinkError> {
        let mut send = pin!(sink.send(events));
        while self.outbox.is_open() {
            select! {
                biased;
                result = &mut send => return result,
                read = self.from_reader.next(), if self.outbox.has_room() => self.absorb(read),
                () = self.alarm.until(self.limits.end_by) => self.run_out_of_time(),
            }
        }
        self.send_to_the_end(send).await
    }

    /// A send that nothing follows but the end. It has until shortly after the time is up.
    async fn send_to_the_end(
        &self,
        send: Pin<&mut impl Future<Output = Result<(), SinkError>>>,
    ) -> Result<(), SinkError> {
        let left = self.limits.end_by.saturating_duration_since(Instant::now());
        timeout(left + LAST_WORDS, send).await.unwrap_or_else(|late| Err(SinkError::Failed(late.into())))
    }

    fn absorb(&mut self, read: Read) {
        match read {
            Read::Text(text, at) => self.outbox.push_text(text, at),
            Read::End(Ok((reason, usage))) => {
                self.outbox.end(Ok((reason, usage)));
                self.end = Some((Ending::Done(reason), usage));
            }
            Read::End(Err((code, cause))) => {
                self.outbox.end(Err(code));
                self.end = Some((Ending::Failed(code, cause), None));
            }
        }
    }

    fn run_out_of_time(&mut self) {
        self.absorb(Read::End(Err((ErrorCode::DeadlineExceeded, None))));
    }

    fn outcome(&self, sink: &impl EventSink, ending: Ending, usage: Option<Usage>) -> Outcome {
        Outcome {
            ending,
            usage,
            timing: self.outbox.timing(),
            sends: self.sends,
            events: self.events,
            messages: sink.messages(),
        }
    }
}
