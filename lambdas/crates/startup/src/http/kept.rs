use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chat::Alarm;
use tokio::time::Instant;

use super::Connection;
use crate::Url;

/// A connection that has had nothing to do for this long is not used again: who is between may have forgotten it.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(90);

/// What one request leaves to the next. There is as much of it as was needed at one time, for a handful of services.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Things>>);

#[derive(Debug, Default)]
struct Things {
    connections: Vec<Idle>,
    alarms: Vec<Alarm>,
}

#[derive(Debug)]
struct Idle {
    origin: Arc<str>,
    connection: Connection,
    since: Instant,
}

impl Kept {
    /// The one that was used last: what is not needed any more grows old.
    pub(super) fn take(&self, to: &Url, now: Instant) -> Option<Connection> {
        let all = &mut self.lock().connections;
        while let Some(at) = all.iter().rposition(|idle| idle.origin == *to.origin()) {
            let idle = all.remove(at);
            if idle.is_usable(now) {
                return Some(idle.connection);
            }
        }
        // Another connection will be made: this is when those of all services are looked at.
        all.retain(|idle| idle.is_usable(now));
        None
    }

    /// As soon as the response was read to its end; if it never is, the connection closes.
    pub(super) fn put_when_ready(&self, to: &Url, mut connection: Connection) {
        let origin = to.origin().clone();
        if connection.is_ready() {
            self.put(origin, connection);
            return;
        }
        let kept = self.clone();
        tokio::spawn(async move {
            if connection.ready().await.is_ok() {
                kept.put(origin, connection);
            }
        });
    }

    #[cfg(test)]
    pub(super) fn connections(&self) -> usize {
        self.lock().connections.len()
    }

    /// For a call that has until `end`.
    pub(super) fn alarm(&self, end: Instant) -> Alarm {
        let kept = self.lock().alarms.pop();
        kept.unwrap_or_else(|| Alarm::at(end))
    }

    pub(super) fn put_alarm(&self, alarm: Alarm) {
        self.lock().alarms.push(alarm);
    }

    fn put(&self, origin: Arc<str>, connection: Connection) {
        self.lock().connections.push(Idle { origin, connection, since: Instant::now() });
    }

    fn lock(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn is_usable(&self, now: Instant) -> bool {
        !self.connection.is_closed() && now.saturating_duration_since(self.since) < KEPT_FOR
    }
}
