use std::time::Duration;

use crate::{Answer, ChatRequest, Model, ModelError, ModelEvent};

/// Asks the model again when it failed before it said anything, for a reason that passes.
///
/// After the first token nothing is tried again: the reader has already seen, and the account already paid for,
/// the beginning of that answer.
#[derive(Debug, Clone)]
pub struct Retrying<M> {
    model: M,
    backoff: Backoff,
}

/// How often and with what pauses something is tried: exponential backoff with full jitter, a random time
/// between nothing and `base * 2^n`, at most `cap`
/// (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Tries in all, the first included.
    pub attempts: u32,
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// The pause after the try number `attempt` (from 1) failed, or `None` when that was the last.
    pub fn pause_after(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| {
            let ceiling = self.base.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(self.cap);
            ceiling.mul_f64(fastrand::f64())
        })
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { attempts: 3, base: Duration::from_millis(400), cap: Duration::from_secs(3) }
    }
}

impl<M> Retrying<M> {
    pub fn new(model: M, backoff: Backoff) -> Self {
        Self { model, backoff }
    }
}

impl<M: Model + Clone + Send> Model for Retrying<M> {
    type Answer = RetryingAnswer<M>;

    async fn open(&self, request: &ChatRequest) -> Result<Self::Answer, ModelError> {
        let mut tries =
            Tries { model: self.model.clone(), request: request.clone(), backoff: self.backoff, made: 0 };
        let answer = tries.open().await?;
        Ok(RetryingAnswer { answer, tries, spoken: false })
    }
}

pub struct RetryingAnswer<M: Model> {
    answer: M::Answer,
    tries: Tries<M>,
    /// Whether a token was passed on.
    spoken: bool,
}

impl<M: Model + Send> Answer for RetryingAnswer<M> {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            match self.answer.next().await {
                Some(Err(error)) if !self.spoken && error.is_transient() => {
                    match self.tries.open_after(error).await {
                        Ok(answer) => self.answer = answer,
                        Err(error) => return Some(Err(error)),
                    }
                }
                event => {
                    self.spoken |= matches!(&event, Some(Ok(ModelEvent::Text(text))) if !text.is_empty());
                    return event;
                }
            }
        }
    }
}

struct Tries<M> {
    model: M,
    request: ChatRequest,
    backoff: Backoff,
    made: u32,
}

impl<M: Model + Send> Tries<M> {
    async fn open(&mut self) -> Result<M::Answer, ModelError> {
        self.made += 1;
        match self.model.open(&self.request).await {
            Err(error) if error.is_transient() => Box::pin(self.open_after(error)).await,
            result => result,
        }
    }

    async fn open_after(&mut self, error: ModelError) -> Result<M::Answer, ModelError> {
        let Some(pause) = self.backoff.pause_after(self.made) else { return Err(error) };
        tokio::time::sleep(pause).await;
        self.open().await
    }
}
