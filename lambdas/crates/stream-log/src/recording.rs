use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chat::{ErrorCode, EventSink, SinkError, StreamEvent};
use tokio::time::Instant;
use tracing::warn;

use crate::records::Records;

/// A sink whose events are kept as well, after they were delivered.
///
/// Where the client goes away in the middle, the answer goes on into the log, until its last reader has been gone for
/// too long.
pub struct Recording<K> {
    sink: K,
    recorder: Option<Arc<Recorder>>,
    gone_at: Option<Instant>,
}

/// Between the sink, which must not wait, and the keeper, which writes.
pub(crate) struct Recorder {
    pub(crate) records: Records,
    pub(crate) abandon_after: Duration,
    /// When the last reader that is known of will have gone.
    watched_until: Mutex<Option<Instant>>,
    /// The log has holes: nobody will resume from it.
    pub(crate) lost: AtomicBool,
    /// Why no answer was begun.
    pub(crate) given_up: Mutex<Option<ErrorCode>>,
}

impl<K> Recording<K> {
    pub(crate) fn new(sink: K, recorder: Option<Arc<Recorder>>) -> Self {
        Self { sink, recorder, gone_at: None }
    }

    #[cfg(test)]
    pub(crate) fn into_inner(self) -> K {
        self.sink
    }
}

impl<K: EventSink + Send> EventSink for Recording<K> {
    async fn send(&mut self, events: &[StreamEvent]) -> Result<(), SinkError> {
        let Some(recorder) = &self.recorder else { return self.sink.send(events).await };
        match self.gone_at {
            Some(gone_at) if recorder.is_abandoned(gone_at) => return Err(SinkError::Gone),
            Some(_) => {}
            None => match self.sink.send(events).await {
                Err(SinkError::Gone) if recorder.outlives_the_client() => self.gone_at = Some(Instant::now()),
                result => result?,
            },
        }
        recorder.record(events);
        Ok(())
    }

    fn messages(&self) -> u64 {
        self.sink.messages()
    }
}

impl Recorder {
    pub(crate) fn new(abandon_after: Duration) -> Self {
        Self {
            records: Records::default(),
            abandon_after,
            watched_until: Mutex::new(None),
            lost: AtomicBool::new(false),
            given_up: Mutex::new(None),
        }
    }

    pub(crate) fn watched_until(&self, until: Instant) {
        *lock(&self.watched_until) = Some(until);
    }

    fn record(&self, events: &[StreamEvent]) {
        if !self.records.put(events) && !self.lost.swap(true, Ordering::Relaxed) {
            warn!("events were not kept: the stream log is too slow for them");
        }
    }

    pub(crate) fn outlives_the_client(&self) -> bool {
        !self.abandon_after.is_zero() && !self.lost.load(Ordering::Relaxed)
    }

    fn is_abandoned(&self, gone_at: Instant) -> bool {
        let last_seen = lock(&self.watched_until).map_or(gone_at, |until| until.max(gone_at));
        self.lost.load(Ordering::Relaxed) || Instant::now() >= last_seen + self.abandon_after
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
