use std::time::Duration;

use chat::Backoff;
use tokio::time::{Instant, sleep};

/// How often and for how long a call is tried. Which errors another try may mend, the caller knows.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    pub backoff: Backoff,
    /// The longest that one try takes.
    pub try_for: Duration,
    /// The longest that all of them take, with the pauses between them.
    pub in_all: Duration,
}

impl Retry {
    /// What the first try without an error gives, else the error of the last one. `once` is told how long it may take.
    pub async fn run<T, E, F>(
        &self,
        once: impl Fn(Duration) -> F,
        may_pass: impl Fn(&E) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut now = Instant::now();
        let end = now + self.in_all;
        let mut tries = 0;
        loop {
            tries += 1;
            let limit = self.try_for.min(end.saturating_duration_since(now));
            let error = match once(limit).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = self.backoff.pause_after(tries).filter(|_| may_pass(&error));
            // Whatever began after the end would have no time.
            match pause.filter(|pause| Instant::now() + *pause < end) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
            now = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const RETRY: Retry = Retry {
        backoff: Backoff { attempts: 4, base: Duration::from_millis(100), cap: Duration::from_millis(100) },
        try_for: Duration::from_secs(2),
        in_all: Duration::from_secs(5),
    };

    /// How it ended, and how long each try was allowed to take. A try that has nothing else to say takes all of it.
    async fn tried(answers: &[Option<Result<(), bool>>]) -> (Result<(), bool>, Vec<Duration>) {
        let limits = RefCell::new(Vec::new());
        let once = |limit| {
            let answer = answers[limits.borrow().len()];
            limits.borrow_mut().push(limit);
            async move {
                let Some(answer) = answer else {
                    sleep(limit).await;
                    return Err(true);
                };
                answer
            }
        };
        let result = RETRY.run(once, |may_pass| *may_pass).await;
        (result, limits.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn another_try_is_made_until_one_succeeds_or_cannot_be_mended() {
        let (passes, stays, done) = (Some(Err(true)), Some(Err(false)), Some(Ok(())));
        for (answers, result, tries) in [
            (vec![done], Ok(()), 1),
            (vec![passes, passes, passes, done], Ok(()), 4),
            (vec![passes, stays, done], Err(false), 2),
            (vec![passes, passes, passes, passes, done], Err(true), 4),
        ] {
            let (ended, limits) = tried(&answers).await;
            assert_eq!((ended, limits.len()), (result, tries), "{answers:?}");
            assert!(limits.iter().all(|limit| *limit == RETRY.try_for), "{limits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_try_has_what_is_left_and_none_is_made_without_any() {
        let before = Instant::now();
        let (ended, limits) = tried(&[None; 4]).await;
        assert!(ended.is_err());
        let [first, second, last] = limits.as_slice() else { panic!("{limits:?}") };
        assert_eq!((*first, *second), (RETRY.try_for, RETRY.try_for));
        assert!((700..=1_000).contains(&last.as_millis()), "{last:?}");
        let took = before.elapsed().as_millis();
        assert!((4_999..=5_010).contains(&took), "{took} ms");
    }
}
