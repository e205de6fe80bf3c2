//! What one user has under way and has used up, and what is allowed. Pure: the stores keep it.

use std::collections::BTreeMap;

use chat::{Error, ErrorCode};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What each user is allowed; `None` is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Answers at the same time.
    pub streams: Option<u64>,
    /// Output tokens a day, in UTC.
    pub tokens_per_day: Option<u64>,
}

/// What one answer may take at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub caps: Caps,
    /// Milliseconds since the epoch.
    pub now: u64,
    /// When the answer has certainly ended, told or not.
    pub until: u64,
    pub tokens: u64,
}

/// One user's account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Days since the epoch, in UTC.
    pub day: u64,
    /// Used up or reserved on that day.
    pub tokens: u64,
    /// Stream id, and when it has certainly ended.
    pub running: BTreeMap<String, u64>,
    /// Counts changes, so that two at once are noticed.
    pub rev: u64,
}

/// A cap that would be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    #[error("the user has {cap} answers under way")]
    Streams { cap: u64 },
    #[error("the user's {cap} output tokens of the day are used up")]
    Tokens { cap: u64, left: u64, retry_after: u64 },
}

/// How soon an answer may have ended, in seconds: a guess, since answers say nothing of their length.
const AN_ANSWER: u64 = 5;

impl Caps {
    pub fn are_off(&self) -> bool {
        *self == Self::default()
    }
}

impl Usage {
    /// The account with one more answer in it. What has certainly ended, and another day, is forgotten first.
    pub fn reserve(mut self, stream_id: &str, wish: &Reservation) -> Result<Self, Over> {
        let today = day_of(wish.now);
        if self.day != today {
            self.day = today;
            self.tokens = 0;
        }
        self.running.retain(|_, until| *until > wish.now);
        if let Some(cap) = wish.caps.streams
            && self.running.len() as u64 >= cap
        {
            return Err(Over::Streams { cap });
        }
        if let Some(cap) = wish.caps.tokens_per_day
            && self.tokens + wish.tokens > cap
        {
            let retry_after = (DAY_MS - wish.now % DAY_MS).div_ceil(1000);
            return Err(Over::Tokens { cap, left: cap.saturating_sub(self.tokens), retry_after });
        }
        self.tokens += wish.tokens;
        self.running.insert(stream_id.to_owned(), wish.until);
        self.rev += 1;
        Ok(self)
    }
}

impl Over {
    pub fn into_error(self) -> Error {
        let (message, retry_after) = match self {
            Self::Streams { cap } => (
                format!(
                    "You have {cap} answers under way, and no more are allowed at once. Try again when one has ended."
                ),
                AN_ANSWER,
            ),
            Self::Tokens { cap, left, retry_after } => (
                format!(
                    "Of the {cap} output tokens that you have a day, {left} are left, and this request may take more. \
                     Ask for fewer with max_tokens, or try again after midnight UTC."
                ),
                retry_after,
            ),
        };
        Error { code: ErrorCode::RateLimited, message, retry_after: Some(retry_after) }
    }
}

/// Whole days since the epoch.
pub fn day_of(unix_millis: u64) -> u64 {
    unix_millis / DAY_MS
}
