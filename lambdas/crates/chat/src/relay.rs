use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use tokio::{
    select,
    sync::mpsc,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use crate::{
    Answer, Cancellation, ErrorCode, EventSink, Limits, ModelError, ModelEvent, SinkError, StopReason,
    StreamEvent, StreamId, Timing, Usage, outbox::Outbox,
};

/// Events between the reader of the model and the writer of the sink. Small: coalescing happens behind it.
const READ_AHEAD: usize = 32;

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
    let (to_writer, from_reader) = mpsc::channel(READ_AHEAD);
    let mut reader = pin!(read(answer, to_writer, limits, cancellation));
    let outbox = Outbox::new(opening.stream_id, opening.model, limits);
    let mut writer = pin!(Writer { outbox, from_reader, limits, sends: 0, events: 0, end: None }.run(sink));
    // The reader is never interrupted in the middle of a read: it runs beside the writer until one of them ends.
    select! {
        outcome = &mut writer => outcome,
        () = &mut reader => writer.await,
    }
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
    to_writer: mpsc::Sender<Read>,
    limits: &Limits,
    cancellation: &Cancellation,
) {
    let end = select! {
        // Also while the writer takes nothing: a slow client must not keep the model at work.
        biased;
        () = cancellation.requested() => Some(Ok((StopReason::Cancelled, None))),
        end = read_to_the_end(&mut answer, &to_writer, limits) => end,
    };
    // The connection to the model is closed before the end is told.
    drop(answer);
    if let Some(end) = end {
        let _ = to_writer.send(Read::End(end)).await;
    }
}

/// `None`: nobody wants the rest.
async fn read_to_the_end(
    answer: &mut impl Answer,
    to_writer: &mpsc::Sender<Read>,
    limits: &Limits,
) -> Option<End> {
    let mut next_by = limits.first_token_by;
    let mut stop = None;
    loop {
        let event = timeout_at(next_by.min(limits.end_by), answer.next()).await;
        match (event, stop) {
            (Ok(Some(Ok(ModelEvent::Text(text)))), None) => {
                if !text.is_empty() && to_writer.send(Read::Text(text, Instant::now())).await.is_err() {
                    return None;
                }
            }
            // A bill before the end would be odd, and is no reason to stop.
            (Ok(Some(Ok(ModelEvent::Activity))), _) | (Ok(Some(Ok(ModelEvent::Usage(_)))), None) => {}
            (Ok(Some(Ok(ModelEvent::Stop(reason)))), None) => stop = Some(reason),
            (Ok(Some(Ok(ModelEvent::Usage(usage)))), Some(reason)) => return Some(Ok((reason, Some(usage)))),
            // All the text is there: what is missing is only the bill.
            (Err(_) | Ok(None | Some(_)), Some(reason)) => return Some(Ok((reason, None))),
            (Ok(Some(Err(error))), None) => return Some(Err((error.code(), Some(error)))),
            (Ok(None), None) => return Some(Err((ErrorCode::Truncated, None))),
            (Err(_), None) if Instant::now() >= limits.end_by => {
                return Some(Err((ErrorCode::DeadlineExceeded, None)));
            }
            (Err(_), None) => return Some(Err((ErrorCode::ModelTimeout, Some(ModelError::timed_out())))),
        }
        next_by = Instant::now() + limits.between_tokens;
    }
}

struct Writer<'a> {
    outbox: Outbox,
    from_reader: mpsc::Receiver<Read>,
    limits: &'a Limits,
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
                let Ok(read) = self.from_reader.try_recv() else { break };
                self.absorb(read);
            }
            let flush_at = last_send + self.limits.flush_interval;
            if self.outbox.is_urgent() || (self.outbox.has_text() && Instant::now() >= flush_at) {
                return;
            }
            select! {
                biased;
                read = self.from_reader.recv() => self.absorb_or_break(read),
                () = sleep_until(flush_at), if self.outbox.has_text() => {}
                () = sleep_until(self.limits.end_by) => self.run_out_of_time(),
                () = sleep_until(ping_at) => self.outbox.push_ping(),
            }
        }
    }

    /// One send, and meanwhile whatever arrives is gathered for the next.
    async fn send(&mut self, sink: &mut impl EventSink, events: &[StreamEvent]) -> Result<(), SinkError> {
        let mut send = pin!(sink.send(events));
        while self.outbox.is_open() {
            select! {
                biased;
                result = &mut send => return result,
                read = self.from_reader.recv(), if self.outbox.has_room() => self.absorb_or_break(read),
                () = sleep_until(self.limits.end_by) => self.run_out_of_time(),
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

    fn absorb_or_break(&mut self, read: Option<Read>) {
        // The reader ends with an `End`, always; without one there is a bug, and the client still gets its end.
        self.absorb(read.unwrap_or(Read::End(Err((ErrorCode::Internal, None)))));
    }

    fn absorb(&mut self, read: Read) {
        match read {
            Read::Text(text, at) => self.outbox.push_text(&text, at),
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
