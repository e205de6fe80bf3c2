use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
pub fn unix_now() -> u64 {
    since_epoch().as_secs()
}

/// How long until `deadline_ms`, Lambda's own deadline for the invocation (`Lambda-Runtime-Deadline-Ms`).
pub fn remaining(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms).saturating_sub(since_epoch())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
