use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use chat::{Cancellation, Canceller, ErrorCode};
use startup::{Causes, unix_millis};
use tokio::{
    join, select,
    time::{Instant, sleep},
};
use tracing::warn;

use crate::{
    Finish, Head, Key, Log, Phase, Recording, Settle, Store,
    claim::millis,
    pace,
    recording::{Recorder, lock},
    records::Tally,
    writer::write,
};

/// The right to answer, in the hands of whoever answers.
#[derive(Clone)]
pub struct Attempt {
    cancellation: Cancellation,
    recorder: Option<Arc<Recorder>>,
}

/// Writes the log beside the answer.
pub struct Keeper<'a, S>(Option<Box<Kept<'a, S>>>);

struct Kept<'a, S> {
    log: &'a Log<S>,
    key: Key,
    head: Head,
    canceller: Canceller,
    recorder: Arc<Recorder>,
}

impl Attempt {
    pub(crate) fn unlogged() -> Self {
        Self { cancellation: Cancellation::never(), recorder: None }
    }

    /// Whether there is a log that would know of another attempt.
    pub fn is_logged(&self) -> bool {
        self.recorder.is_some()
    }

    /// Whether the stream's owner has asked for its end.
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Whether the answer goes on into the log when its client is gone.
    pub fn outlives_its_client(&self) -> bool {
        self.recorder.as_ref().is_some_and(|recorder| recorder.outlives_the_client())
    }

    pub fn record<K>(&self, sink: K) -> Recording<K> {
        Recording::new(sink, self.recorder.clone())
    }

    /// No answer was begun. The same request may try again under the same id.
    pub fn give_up(&self, code: ErrorCode) {
        if let Some(recorder) = &self.recorder {
            *lock(&recorder.given_up) = Some(code);
        }
    }
}

impl<'a, S: Store> Keeper<'a, S> {
    pub(crate) fn unlogged() -> Self {
        Self(None)
    }

    pub(crate) fn new(log: &'a Log<S>, key: Key, head: Head) -> (Attempt, Self) {
        let (canceller, cancellation) = Cancellation::new();
        if head.cancel_requested {
            canceller.cancel();
        }
        let recorder = Arc::new(Recorder::new(log.options.abandon_after));
        let attempt = Attempt { cancellation, recorder: Some(recorder.clone()) };
        (attempt, Self(Some(Box::new(Kept { log, key, head, canceller, recorder }))))
    }

    /// Runs the answer, and beside it writes what it sends and looks whether it is cancelled. When it is over, what is
    /// left is written: that delays nobody but the function.
    pub async fn keep<T>(self, answer: impl Future<Output = T>) -> T {
        let Some(kept) = self.0 else { return answer.await };
        let expires_at = unix_millis() / 1000 + kept.log.options.retention.as_secs();
        let writing = write(&kept.log.store, &kept.key, &kept.recorder, expires_at);
        let answering = async {
            let result = {
                let mut watching = pin!(kept.watch());
                select! {
                    biased;
                    result = answer => result,
                    never = &mut watching => match never {},
                }
            };
            kept.recorder.records.end();
            result
        };
        let (result, failures) = join!(answering, writing);
        kept.close(&kept.recorder.records.tally(), failures).await;
        result
    }
}

impl<S: Store> Kept<'_, S> {
    /// Sees a cancellation, keeps the lease, and learns whether somebody reads.
    async fn watch(&self) -> Infallible {
        let mut renewed = Instant::now();
        loop {
            sleep(pace::LOOK_EVERY).await;
            let renew = renewed.elapsed() >= pace::RENEW_EVERY;
            let head = if renew {
                self.log.store.renew(&self.key, &self.head.attempt, unix_millis() + millis(pace::LEASE)).await
            } else {
                self.log.store.look(&self.key).await
            };
            match head {
                Ok(head) => {
                    if renew {
                        renewed = Instant::now();
                    }
                    self.heed(head.as_ref());
                }
                // The next look may work. A stream that cannot be stopped is still a stream.
                Err(error) => warn!(error = %Causes(&error), "the stream log was not read"),
            }
        }
    }

    fn heed(&self, head: Option<&Head>) {
        let Some(head) = head else { return };
        if head.cancel_requested {
            self.canceller.cancel();
        }
        if head.watched_until > 0 {
            let left = Duration::from_millis(head.watched_until.saturating_sub(unix_millis()));
            self.recorder.watched_until(Instant::now() + left);
        }
    }

    async fn close(&self, sent: &Tally, failures: u64) {
        let lost = self.recorder.lost.load(Ordering::Relaxed);
        let given_up = *lock(&self.recorder.given_up);
        let finish = Finish {
            attempt: self.head.attempt.clone(),
            phase: if sent.is_empty() { Phase::Refused } else { Phase::Finished },
            if_lease_ended_before: None,
            code: match given_up {
                Some(code) => Some(code),
                None if sent.terminal && !lost => None,
                None => Some(ErrorCode::Interrupted),
            },
            notes: sent.notes,
        };
        let unused = self.head.reserved.saturating_sub(sent.output_tokens());
        let settle = Settle { day: self.head.day, unused };
        let settling = async {
            if self.log.options.caps.are_off() && self.head.reserved == 0 {
                return Ok(());
            }
            self.log.store.settle(&self.key, &settle).await
        };
        let (finished, settled) = join!(self.log.store.finish(&self.key, &finish), settling);
        if failures > 0 {
            self.log.ledger.log_failed(&self.key.stream_id, failures);
        }
        match finished {
            Ok(true) => {}
            Ok(false) => warn!("the stream was taken from its attempt, which lived"),
            Err(error) => warn!(error = %Causes(&error), "the stream's end was not kept"),
        }
        if let Err(error) = settled {
            warn!(error = %Causes(&error), "the user's account was not settled");
        }
    }
}
