use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
pub fn unix_now() -> u64 {
    since_epoch().as_secs()
}

/// Milliseconds since the epoch.
pub fn unix_millis() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

/// How long until `deadline_ms`, Lambda's own deadline for the invocation (`Lambda-Runtime-Deadline-Ms`).
pub fn remaining(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms).saturating_sub(since_epoch())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
