//! A client that does not give up: what a broken connection leaves out, the next one brings.

use std::time::Duration;

use tokio::time::sleep;

use crate::{Architecture, ProbeError, Received, Request, Settings, Trace, ask, intake::Intake, net, rest};

/// How often in a row the rest may be asked for without anything coming of it.
const MAX_VAIN: u32 = 5;

/// Before the first of those; doubled with each.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends the request, and whenever the connection breaks or an event is missing, asks for the rest over
/// `resume_via`, until the stream's end. How often says [`Trace::resumptions`]. Where there is no log the first failure
/// is the last.
pub async fn stream_resuming(
    settings: &Settings,
    architecture: Architecture,
    resume_via: Architecture,
    access_token: &str,
    request: &Request,
    timeout: Duration,
    on_event: impl FnMut(&Received),
) -> Trace {
    net::prepare();
    let mut intake = Intake::new(architecture, None, timeout, on_event);
    let mut failure = match ask(settings, architecture, access_token, request, &mut intake).await {
        Err(error) if error.is_transient() => error,
        result => return intake.finish(result),
    };
    let mut vain = 0;
    while vain < MAX_VAIN {
        let had = intake.last();
        intake.resume(resume_via);
        let mut result = rest(settings, resume_via, access_token, request, &mut intake).await;
        if result.as_ref().is_err_and(is_not_found) {
            if intake.last().is_some() {
                break;
            }
            // The request was lost on its way. Twice the same is answered once.
            intake.ask_again(architecture);
            result = ask(settings, architecture, access_token, request, &mut intake).await;
        }
        match result {
            Err(error) if error.is_transient() => failure = error,
            result => return intake.finish(result),
        }
        if intake.last() == had {
            sleep(PAUSE * 2_u32.pow(vain)).await;
            vain += 1;
        } else {
            vain = 0;
        }
    }
    intake.finish(Err(failure))
}

fn is_not_found(error: &ProbeError) -> bool {
    matches!(error, ProbeError::Contract(error) if error.code == "not_found")
}
