//! The rest of a stream: what is published from now on, and out of the log what has been missed.

use std::time::Duration;

use futures_util::future::OptionFuture;
use tokio::time::{Instant, sleep_until};

use super::{Logged, Subscription, stream_events};
use crate::{ProbeError, Received, Request, Settings, intake::Intake};

/// Where a number is missing the log has it soon: events are written a quarter of a second after they were published.
const AFTER_GAP: Duration = Duration::from_millis(300);

/// Where nothing comes at all, the end may have been lost, or there is nobody any more who would publish it.
const AFTER_SILENCE: Duration = Duration::from_secs(2);

/// How often the log may fail in a row.
const MAX_FAILURES: u32 = 5;

pub(crate) async fn resume<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    stream: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    // First of all: what is published after that is not missed.
    let mut subscription = Subscription::open(settings, access_token, stream, intake).await?;
    let ask = |after| Box::pin(stream_events(settings, access_token, &stream.stream_id, after));
    let mut asking = Some(ask(intake.last()));
    let (mut ask_at, mut failures) = (Instant::now(), 0);
    while !intake.ended() {
        tokio::select! {
            answer = OptionFuture::from(asking.as_mut()), if asking.is_some() => {
                asking = None;
                ask_at = Instant::now() + AFTER_SILENCE;
                match answer.expect("it was asked") {
                    Ok(Logged { events, .. }) => {
                        failures = 0;
                        // There may be more: one answer has a limit.
                        if !events.is_empty() {
                            ask_at = Instant::now();
                        } else if intake.has_gap() {
                            ask_at = Instant::now() + AFTER_GAP;
                        }
                        for event in events {
                            intake.take(event)?;
                        }
                    }
                    Err(error) if error.is_transient() && failures < MAX_FAILURES => failures += 1,
                    Err(error) => return Err(error),
                }
            }
            event = subscription.next() => {
                intake.take(event?.ok_or_else(|| intake.closed())?)?;
                ask_at = if intake.has_gap() {
                    ask_at.min(Instant::now() + AFTER_GAP)
                } else {
                    Instant::now() + AFTER_SILENCE
                };
            }
            () = sleep_until(ask_at), if asking.is_none() => asking = Some(ask(intake.last())),
            () = sleep_until(intake.deadline()) => return Err(intake.expired()),
        }
    }
    subscription.close().await;
    Ok(())
}
