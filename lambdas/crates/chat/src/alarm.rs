use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

/// One timer for a time that moves with every token or call, mostly away. It is not set anew each time: it rings at what
/// was once the time, and only then is it set to what has become of that. To set a timer before all others is a system
/// call and another turn of tokio's loop.
#[derive(Debug)]
pub struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    pub fn at(at: Instant) -> Self {
        Self(Box::pin(sleep_until(at)))
    }

    /// Resolves when it is `at`, or later. May be dropped and asked again, with another time.
    pub async fn until(&mut self, at: Instant) {
        if at < self.0.deadline() {
            self.0.as_mut().reset(at);
        }
        loop {
            self.0.as_mut().await;
            if Instant::now() >= at {
                return;
            }
            self.0.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_the_time_asked_for_last_whichever_was_asked_for_before() {
        let began = Instant::now();
        let after = |seconds| began + Duration::from_secs(seconds);
        let mut alarm = Alarm::at(after(60));
        for (asked, then) in [(5, 10), (20, 12), (15, 30)] {
            let first = timeout(Duration::from_secs(1), alarm.until(after(asked))).await;
            assert!(first.is_err(), "{asked} s is not yet");
            alarm.until(after(then)).await;
            assert_eq!(Instant::now(), after(then));
        }
    }
}
