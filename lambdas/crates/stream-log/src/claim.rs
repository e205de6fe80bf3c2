use std::time::Duration;

use auth::Caller;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chat::{CancelRequest, ChatRequest, Error, ErrorCode, Limits, ResumeRequest};
use startup::unix_millis;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    Attempt, Finish, Following, Head, Keeper, Key, Log, Notes, Over, Phase, Reservation, Rights, Store,
    StoreError, StreamLog, Take, Taken, pace,
};

/// What a request finds under its stream id.
pub enum Claim<'a, S> {
    /// Nothing: it is this request's.
    Won(Attempt, Keeper<'a, S>),
    /// The same request has been answered before; here is that answer.
    Answered(Following<'a, S>),
}

/// What a prompt finds that is to be queued.
#[derive(Debug, PartialEq, Eq)]
pub enum Queued {
    /// It has to be sent. Also where that was tried before, and it is not known whether it worked: whoever takes it
    /// out of the queue a second time finds that out.
    Send,
    /// The same prompt has been answered before.
    Answered,
}

/// What a worker finds that takes a prompt out of the queue.
pub enum Begun<'a, S> {
    /// It is this worker's.
    Won(Attempt, Keeper<'a, S>),
    /// Another delivery of the same prompt was, or is being, answered.
    Elsewhere,
    /// An earlier delivery was refused, and perhaps nobody was told.
    Refused(ErrorCode),
    /// The worker that had it died in the middle. This is the one time that somebody is told.
    Died,
}

/// Why a request gets no answer of its own.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("the stream id is taken")]
    Conflict,
    #[error(transparent)]
    Over(#[from] Over),
    /// Nothing is paid for that cannot be claimed.
    #[error("the stream was not claimed")]
    Store(#[from] StoreError),
}

impl ClaimError {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Conflict => ErrorCode::Conflict,
            Self::Over(_) => ErrorCode::RateLimited,
            Self::Store(_) => ErrorCode::Internal,
        }
    }

    /// What the caller is told.
    pub fn to_error(&self) -> Error {
        match self {
            Self::Conflict | Self::Store(_) => self.code().into(),
            Self::Over(over) => over.into_error(),
        }
    }
}

impl<S: Store> StreamLog<S> {
    /// Before the model is asked: makes the stream this request's.
    pub async fn claim(&self, request: &ChatRequest, limits: &Limits) -> Result<Claim<'_, S>, ClaimError> {
        let Some(log) = &self.0 else { return Ok(Claim::Won(Attempt::unlogged(), Keeper::unlogged())) };
        let key = Key::new(&request.caller, &request.stream_id);
        let remaining = limits.end_by.saturating_duration_since(Instant::now()) + pace::LEASE;
        let rights = Rights::New(log.reservation(request, remaining));
        let take = log.wish(request, Phase::Running, pace::LEASE, rights);
        match log.store.take(&key, &take).await? {
            Taken::Mine(head) => {
                let (attempt, keeper) = Keeper::new(log, key, head);
                Ok(Claim::Won(attempt, keeper))
            }
            Taken::Exists(head)
                if head.phase == Phase::Finished && head.request_hash == take.request_hash =>
            {
                Ok(Claim::Answered(Following { log, key, after: None }))
            }
            Taken::Exists(_) => Err(ClaimError::Conflict),
            Taken::Over(over) => Err(over.into()),
        }
    }

    /// The same for a prompt that will wait in a queue.
    pub async fn queue(&self, request: &ChatRequest) -> Result<Queued, ClaimError> {
        let Some(log) = &self.0 else { return Ok(Queued::Send) };
        let key = Key::new(&request.caller, &request.stream_id);
        let rights = Rights::New(log.reservation(request, pace::QUEUED + pace::ANSWER));
        let take = log.wish(request, Phase::Queued, pace::QUEUED, rights);
        match log.store.take(&key, &take).await? {
            Taken::Mine(_) => Ok(Queued::Send),
            Taken::Exists(head) if head.request_hash == take.request_hash => match head.phase {
                Phase::Queued => Ok(Queued::Send),
                Phase::Finished => Ok(Queued::Answered),
                Phase::Running | Phase::Refused => Err(ClaimError::Conflict),
            },
            Taken::Exists(_) => Err(ClaimError::Conflict),
            Taken::Over(over) => Err(over.into()),
        }
    }

    /// A prompt out of the queue, whose owner has been checked when it was queued.
    pub async fn begin(&self, request: &ChatRequest) -> Result<Begun<'_, S>, StoreError> {
        let Some(log) = &self.0 else { return Ok(Begun::Won(Attempt::unlogged(), Keeper::unlogged())) };
        let key = Key::new(&request.caller, &request.stream_id);
        let take = log.wish(request, Phase::Running, pace::LEASE, Rights::Dequeued);
        match log.store.take(&key, &take).await? {
            Taken::Mine(head) => {
                let (attempt, keeper) = Keeper::new(log, key, head);
                Ok(Begun::Won(attempt, keeper))
            }
            Taken::Exists(head) if head.phase.is_open() => {
                Ok(if declare_dead(&log.store, &key, &head).await? { Begun::Died } else { Begun::Elsewhere })
            }
            Taken::Exists(head) if head.phase == Phase::Refused => {
                Ok(Begun::Refused(head.code.unwrap_or(ErrorCode::Internal)))
            }
            Taken::Exists(_) | Taken::Over(_) => Ok(Begun::Elsewhere),
        }
    }

    /// Asks for the end of an answer, whoever produces it. `false`: the caller has no such stream.
    pub async fn cancel(&self, caller: &Caller, request: &CancelRequest) -> Result<bool, StoreError> {
        match &self.0 {
            Some(log) => log.store.cancel(&Key::new(caller, &request.stream_id)).await,
            None => Ok(false),
        }
    }

    /// An answer to read. `None`: the caller has no such stream.
    pub async fn find(
        &self,
        caller: &Caller,
        request: &ResumeRequest,
    ) -> Result<Option<Following<'_, S>>, StoreError> {
        let Some(log) = &self.0 else { return Ok(None) };
        let key = Key::new(caller, &request.stream_id);
        let head = log.store.look(&key).await?;
        Ok(head.map(|_| Following { log, key, after: request.after }))
    }
}

impl<S> Log<S> {
    fn wish(&self, request: &ChatRequest, phase: Phase, lease: Duration, rights: Rights) -> Take {
        let now = unix_millis();
        Take {
            phase,
            attempt: Uuid::new_v4().to_string(),
            lease_until: now + millis(lease),
            request_hash: hash_of(request),
            created_at: now,
            expires_at: now / 1000 + self.options.retention.as_secs(),
            rights,
        }
    }

    fn reservation(&self, request: &ChatRequest, remaining: Duration) -> Option<Reservation> {
        let (caps, now) = (self.options.caps, unix_millis());
        let tokens = u64::from(request.max_tokens);
        (!caps.are_off()).then(|| Reservation { caps, now, until: now + millis(remaining), tokens })
    }
}

/// Ends the stream of a worker that has not been heard of for too long. `false`: it lives, or somebody else was faster.
pub(crate) async fn declare_dead<S: Store>(store: &S, key: &Key, head: &Head) -> Result<bool, StoreError> {
    let now = unix_millis();
    if head.lease_until >= now {
        return Ok(false);
    }
    let finish = Finish {
        attempt: head.attempt.clone(),
        phase: Phase::Finished,
        if_lease_ended_before: Some(now),
        code: Some(ErrorCode::Interrupted),
        notes: Notes::default(),
    };
    store.finish(key, &finish).await
}

/// What tells the same request from another one under the same id.
fn hash_of(request: &ChatRequest) -> String {
    let asked = serde_json::to_vec(&(&request.messages, &request.system, request.max_tokens));
    let asked = asked.expect("strings and numbers always serialize");
    BASE64_STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, &asked))
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
