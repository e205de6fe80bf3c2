use chat::{Error, ErrorCode, EventSink, Limits, SinkError, StreamEvent};
use startup::{Causes, unix_millis};
use tokio::time::{Instant, sleep};
use tracing::{error, info};

use crate::{
    Head, Key, Log, Page, Phase, Store, StoreError, chunk,
    claim::{declare_dead, millis},
    pace,
};

/// A stream that can be read.
pub struct Following<'a, S> {
    pub(crate) log: &'a Log<S>,
    pub(crate) key: Key,
    /// The last event that its reader has.
    pub(crate) after: Option<u64>,
}

impl<S: Store> Following<'_, S> {
    /// Sends what is in the log, and goes on as it is written, to the stream's end. The events are those that were sent
    /// live, number by number. Where the stream has no end of its own, because whoever answered died or the log has a
    /// hole, an `error` outside the count is it.
    pub async fn run(mut self, request_id: &str, sink: &mut impl EventSink, limits: &Limits) {
        let result = self.relay(sink, limits).await;
        let (stream_id, messages) = (self.key.stream_id.as_str(), sink.messages());
        match result {
            Ok(()) => info!(request_id, stream_id, messages, outcome = "done", "resumed"),
            Err(SinkError::Gone) => info!(request_id, stream_id, messages, outcome = "gone", "resumed"),
            Err(error @ SinkError::Failed(_)) => {
                error!(request_id, stream_id, messages, outcome = "undelivered", error = %Causes(&error), "resumed");
            }
        }
    }

    /// What is in the log now, to at most so many bytes, and whether that is the end.
    pub async fn so_far(mut self, max_bytes: usize) -> Result<(Vec<StreamEvent>, bool), StoreError> {
        let (mut events, mut bytes, mut read) = (Vec::new(), 0, Reading::default());
        loop {
            let news = self.news(&mut read).await?;
            bytes += news.bytes;
            events.extend(news.events);
            if let Some(code) = news.ends_with {
                events.push(self.unnumbered(code));
            }
            let ended = events.last().is_some_and(StreamEvent::is_terminal);
            if ended || bytes >= max_bytes || !(news.more || read.look_again) {
                return Ok((events, ended));
            }
        }
    }

    async fn relay(&mut self, sink: &mut impl EventSink, limits: &Limits) -> Result<(), SinkError> {
        let (mut read, mut failures) = (Reading::default(), 0);
        let (mut last_send, mut watched) = (Instant::now(), None::<Instant>);
        loop {
            let news = match self.news(&mut read).await {
                Ok(news) => news,
                // One that passes is not worth a word; one that does not, ends the reading.
                Err(_) if failures < 3 => {
                    failures += 1;
                    News::default()
                }
                Err(_) => News { ends_with: Some(ErrorCode::Internal), ..News::default() },
            };
            let mut events = news.events;
            if let Some(code) = news.ends_with {
                events.push(self.unnumbered(code));
            }
            if events.is_empty() && Instant::now() >= limits.end_by {
                events.push(self.unnumbered(ErrorCode::DeadlineExceeded));
            }
            if events.is_empty() && last_send.elapsed() >= limits.ping_every {
                events.push(StreamEvent::Ping { stream_id: Some(self.key.stream_id.clone()) });
            }
            if !events.is_empty() {
                sink.send(&events).await?;
                last_send = Instant::now();
            }
            if events.last().is_some_and(StreamEvent::is_terminal) {
                return Ok(());
            }
            if watched.is_none_or(|at| at.elapsed() >= pace::WATCH_EVERY) {
                watched = Some(Instant::now());
                let until = unix_millis() + 2 * millis(pace::WATCH_EVERY);
                // Best effort: without it an answer whose client has gone may be given up.
                let _ = self.log.store.watch(&self.key, until).await;
            }
            if !news.more {
                sleep(pace::READ_EVERY).await;
            }
        }
    }

    /// One look at the log.
    async fn news(&mut self, read: &mut Reading) -> Result<News, StoreError> {
        let Page { chunks, head } = self.log.store.read(&self.key, self.after).await?;
        let mut news = News { more: head.is_none() && !chunks.is_empty(), ..News::default() };
        for chunk in chunks {
            let expected = self.after.map_or(0, |after| after + 1);
            if chunk.first > expected {
                // A hole. Nobody joins text across it.
                news.more = false;
                news.ends_with = Some(ErrorCode::Interrupted);
                return Ok(news);
            }
            news.bytes += chunk.events.len();
            let events = chunk::events(&self.key.stream_id, &chunk)?;
            news.events.extend(events.into_iter().filter(|event| event.seq() >= Some(expected)));
            self.after = Some(chunk.last);
        }
        if news.events.last().is_some_and(StreamEvent::is_terminal) {
            return Ok(news);
        }
        let Some(head) = head else {
            // A page without a head is a full one, or the stream is not there any more.
            news.ends_with = (!news.more).then_some(ErrorCode::NotFound);
            return Ok(news);
        };
        news.ends_with = self.end_of(&head, read).await?;
        Ok(news)
    }

    /// Why there will be no event that says how it ended, if there will be none.
    async fn end_of(&self, head: &Head, read: &mut Reading) -> Result<Option<ErrorCode>, StoreError> {
        match head.phase {
            Phase::Queued | Phase::Running => {
                // Whoever declares it dead first decides; the next look finds out.
                declare_dead(&self.log.store, &self.key, head).await?;
                Ok(None)
            }
            Phase::Finished | Phase::Refused if !read.look_again => {
                // The last chunk may have been written after this look had passed its place, and before it came to
                // the head. Now it is there.
                read.look_again = true;
                Ok(None)
            }
            Phase::Finished | Phase::Refused => Ok(Some(head.code.unwrap_or(ErrorCode::Interrupted))),
        }
    }

    fn unnumbered(&self, code: ErrorCode) -> StreamEvent {
        StreamEvent::Error {
            stream_id: Some(self.key.stream_id.clone()),
            seq: None,
            error: Error::from(code),
        }
    }
}

#[derive(Default)]
struct Reading {
    /// The stream is over, but not its events.
    look_again: bool,
}

#[derive(Default)]
struct News {
    events: Vec<StreamEvent>,
    bytes: usize,
    /// There are more at once.
    more: bool,
    ends_with: Option<ErrorCode>,
}
