//! How often what happens: the one place for it. More often costs more, see `docs/operations.md`.

use std::time::Duration;

/// A chunk is written so long after its first event.
pub(crate) const CHUNK_EVERY: Duration = Duration::from_millis(250);

/// Or when it holds so many bytes.
pub(crate) const CHUNK_BYTES: usize = 4 * 1024;

/// Events that wait for a store that is slow or fails, at most: a function has 128 MB. Then they are given up, and with them
/// the resuming.
pub(crate) const WAITING_BYTES: usize = 1024 * 1024;

/// After a failed write.
pub(crate) const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A producer looks so often whether its stream was cancelled.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A producer that has not renewed its lease for so long is dead.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(5);

/// How long a prompt may wait for a worker, with what the queue and its worker allow it, until it counts as lost.
pub(crate) const QUEUED: Duration = Duration::from_mins(2);

/// The longest that a queued prompt's answer may then take: the worker's timeout.
pub(crate) const ANSWER: Duration = Duration::from_mins(5);

/// A reader asks for news so often.
pub(crate) const READ_EVERY: Duration = Duration::from_millis(250);

/// A reader says that it is there so often, and for twice as long.
pub(crate) const WATCH_EVERY: Duration = Duration::from_secs(10);
