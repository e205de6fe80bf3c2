use std::{fmt, future::Future};

use auth::Caller;
use chat::{ErrorCode, StreamId};

use crate::usage::{Over, Reservation};

/// Where streams are kept: the third and last seam, beside the model and the sink. Every call bounds itself in time.
pub trait Store: Send + Sync {
    /// Makes the stream this attempt's, if nobody has it.
    fn take(&self, key: &Key, take: &Take) -> impl Future<Output = Result<Taken, StoreError>> + Send;

    fn look(&self, key: &Key) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// Keeps the stream for this attempt until `lease_until`. `None`: it is this attempt's no more.
    fn renew(
        &self,
        key: &Key,
        attempt: &str,
        lease_until: u64,
    ) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// The same chunk may be written twice.
    fn append(&self, key: &Key, chunk: &Chunk) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Says how the stream ended. `false`: it is this attempt's no more.
    fn finish(&self, key: &Key, finish: &Finish) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives back what was reserved and not used, once: what is not there any more is no error.
    fn settle(&self, key: &Key, settle: &Settle) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Asks for the end. `false`: there is no such stream.
    fn cancel(&self, key: &Key) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Says that somebody reads the stream.
    fn watch(&self, key: &Key, until: u64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Chunks that hold events after `after`, in order, and the head, if the page reaches so far.
    fn read(&self, key: &Key, after: Option<u64>) -> impl Future<Output = Result<Page, StoreError>> + Send;
}

/// Names a stream. The owner is a part of the name: nobody finds another's stream, even knowing its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) owner: String,
    /// As the client wrote it.
    pub(crate) stream_id: StreamId,
}

impl Key {
    pub fn new(caller: &Caller, stream_id: &StreamId) -> Self {
        Self { owner: caller.sub().to_owned(), stream_id: stream_id.clone() }
    }

    /// UUIDs are equal in either case (RFC 9562, section 4).
    pub(crate) fn canonical_id(&self) -> String {
        self.stream_id.as_str().to_ascii_lowercase()
    }
}

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The prompt waits in a queue.
    Queued,
    /// An attempt is at work, as long as its lease lasts.
    Running,
    /// There will be no more events.
    Finished,
    /// No answer was begun and none was paid for: it may be asked for again.
    Refused,
}

/// What is known of a stream, besides its events. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub phase: Phase,
    pub attempt: String,
    pub lease_until: u64,
    pub request_hash: String,
    pub cancel_requested: bool,
    pub watched_until: u64,
    /// What was reserved for it of the owner's tokens, and on which day since the epoch.
    pub reserved: u64,
    pub day: u64,
    /// Why it ended, where no event of its own says so.
    pub code: Option<ErrorCode>,
}

/// A wish to be the one who answers.
#[derive(Debug, Clone)]
pub struct Take {
    /// `Queued` or `Running`.
    pub phase: Phase,
    pub attempt: String,
    pub lease_until: u64,
    pub request_hash: String,
    pub created_at: u64,
    /// Unix seconds after which the stream is forgotten.
    pub expires_at: u64,
    pub rights: Rights,
}

/// On what grounds a stream is taken.
#[derive(Debug, Clone)]
pub enum Rights {
    /// It is new, or was refused; and its owner may have one more.
    New(Option<Reservation>),
    /// It waits in the queue from which it is taken, or nothing is known of it.
    Dequeued,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Mine(Head),
    Exists(Head),
    Over(Over),
}

/// Events in order, one a line, see `chunk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub first: u64,
    pub last: u64,
    pub events: String,
    /// Unix seconds.
    pub expires_at: u64,
}

/// How a stream ended.
#[derive(Debug, Clone)]
pub struct Finish {
    pub attempt: String,
    /// `Finished` or `Refused`.
    pub phase: Phase,
    /// Only if its lease has ended before: whoever finds a stream whose worker died.
    pub if_lease_ended_before: Option<u64>,
    pub code: Option<ErrorCode>,
    /// For whoever looks into the table; nothing is decided by it.
    pub notes: Notes,
}

/// What an answer has cost and how long it took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notes {
    pub stop_reason: Option<&'static str>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub first_token_ms: Option<u64>,
    pub total_ms: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Settle {
    pub day: u64,
    /// Tokens that were reserved and not used.
    pub unused: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub chunks: Vec<Chunk>,
    /// `None`: there are more chunks than one answer holds.
    pub head: Option<Head>,
}

/// The store did not do what it was asked to do, or it is not known whether it did.
#[derive(Debug, thiserror::Error)]
#[error("the stream log could not {did}")]
pub struct StoreError {
    pub did: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    pub fn new(did: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { did, source: source.into() }
    }
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Finished, Self::Refused];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Refused => "refused",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// Whether somebody is, or will be, at work on it.
    pub fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::Running => true,
            Self::Finished | Self::Refused => false,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
