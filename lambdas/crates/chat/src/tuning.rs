use std::time::Duration;

use tokio::time::Instant;

/// Lambda kills without warning when its time is up. A stream ends this much earlier, so that its last event is
/// still delivered.
const END_BEFORE_KILL: Duration = Duration::from_secs(3);

/// How long things may take and how big they may be; a function's settings.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// From receiving the request to the model's first sign of life. Bedrock now and then needs 60 s after a
    /// quiet time.
    pub first_token: Duration,
    /// From one sign of life of the model to the next.
    pub between_tokens: Duration,
    /// A ping goes out when nothing else did for so long.
    pub ping_every: Duration,
    /// The least time between two deltas after the first; zero sends as fast as the sink takes them. More means
    /// fewer messages, so less money, and later tokens. What was held leaves with the first token after that, or a moment
    /// later without one.
    pub flush_interval: Duration,
    /// The most bytes a delta's text may take in JSON; longer text becomes several deltas.
    pub max_delta_bytes: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            first_token: Duration::from_secs(75),
            between_tokens: Duration::from_secs(30),
            ping_every: Duration::from_secs(10),
            flush_interval: Duration::ZERO,
            max_delta_bytes: 64 * 1024,
        }
    }
}

impl Tuning {
    /// The limits of a request that was received at `received_at` by a function that is killed after
    /// `remaining`.
    pub fn limits(&self, received_at: Instant, remaining: Duration) -> Limits {
        let end_by = received_at + remaining.saturating_sub(END_BEFORE_KILL);
        Limits {
            received_at,
            first_token_by: (received_at + self.first_token).min(end_by),
            end_by,
            between_tokens: self.between_tokens,
            ping_every: self.ping_every,
            flush_interval: self.flush_interval,
            max_delta_bytes: self.max_delta_bytes,
        }
    }
}

/// The limits of one answer.
#[derive(Debug, Clone)]
pub struct Limits {
    pub received_at: Instant,
    pub first_token_by: Instant,
    pub end_by: Instant,
    pub between_tokens: Duration,
    pub ping_every: Duration,
    pub flush_interval: Duration,
    pub max_delta_bytes: usize,
}
