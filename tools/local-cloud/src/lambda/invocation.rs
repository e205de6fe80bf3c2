//! One invocation: handed to an environment, watched until it ends in one of the ways it can end.

use std::{pin::pin, sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures_util::future::OptionFuture;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    InvokeError, StreamingResponse,
    environment::Environment,
    function::{Function, Taken},
};
use crate::faults::Planned;

/// What a caller gets.
#[derive(Debug)]
pub(super) enum Answer {
    Buffered(Bytes),
    Streaming(StreamingResponse),
}

/// What `/runtime/invocation/next` hands out.
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline: SystemTime,
    pub(super) reports: mpsc::UnboundedSender<Report>,
}

/// What the Runtime API tells about an invocation, in this order.
#[derive(Debug)]
pub(super) enum Report {
    /// The bootstrap has it.
    Delivered,
    /// The end of a buffered answer.
    Answered(Result<Bytes, InvokeError>),
    /// A streaming answer has begun; `body` is the sending half of the response's receiver.
    Started { response: StreamingResponse, body: Body },
    /// The end of a streaming answer.
    Ended(Result<(), InvokeError>),
}

type Reply = oneshot::Sender<Result<Answer, InvokeError>>;

pub(super) type Body = mpsc::Sender<Result<Bytes, InvokeError>>;

/// Serves one invocation and gives `slot` and environment back *before* the caller can see the end of it, so
/// that whoever invokes again at once is not throttled by their own last call.
pub(super) async fn serve(
    function: Arc<Function>,
    slot: OwnedSemaphorePermit,
    payload: Bytes,
    planned: Option<Arc<Planned>>,
    answer: Reply,
) {
    let mut answer = Some(answer);
    let ending = loop {
        let Taken { environment, reused } = match function.take().await {
            Ok(taken) => taken,
            Err(error) => break Ending::Whole(Err(error)),
        };
        let began = Instant::now();
        let ending =
            supervise(&function, &environment, payload.clone(), planned.as_deref(), &mut answer).await;
        function.give_back(environment);
        if !matches!(ending, Ending::Undelivered) {
            function.bill(began.elapsed());
        }
        match ending {
            Ending::Undelivered if reused => {}
            Ending::Undelivered | Ending::Whole(_) | Ending::Stream(..) => break ending,
        }
    };
    let name = &function.config.name;
    let exited = || InvokeError::Exited { function: name.clone() };
    if let Some(error) = ending.error(exited) {
        function.logs.push(name, platform_line(&error));
    }
    drop(slot);
    match ending {
        Ending::Undelivered => reply(&mut answer, Err(exited())),
        Ending::Whole(result) => reply(&mut answer, result.map(Answer::Buffered)),
        Ending::Stream(body, Err(error)) => drop(body.send(Err(error)).await),
        Ending::Stream(body, Ok(())) => drop(body),
    }
}

enum Ending {
    /// The environment died before it took the invocation: another one may have it.
    Undelivered,
    Whole(Result<Bytes, InvokeError>),
    Stream(Body, Result<(), InvokeError>),
}

impl Ending {
    fn error(&self, exited: impl Fn() -> InvokeError) -> Option<InvokeError> {
        match self {
            Self::Undelivered => Some(exited()),
            Self::Whole(result) => result.as_ref().err().cloned(),
            Self::Stream(_, result) => result.as_ref().err().cloned(),
        }
    }
}

async fn supervise(
    function: &Function,
    environment: &Environment,
    payload: Bytes,
    planned: Option<&Planned>,
    answer: &mut Option<Reply>,
) -> Ending {
    let (name, timeout) = (&function.config.name, function.config.timeout);
    // Before the function can do anything: only who listens already hears of it.
    let mut killing = pin!(OptionFuture::from(planned.map(|planned| planned.kill.notified())));
    let mut killed = false;
    let deadline = Instant::now() + timeout;
    let (sender, mut reports) = mpsc::unbounded_channel();
    environment.dispatch(Invocation {
        request_id: Uuid::new_v4().to_string(),
        payload,
        deadline: SystemTime::now() + timeout,
        reports: sender,
    });
    let mut delivered = false;
    let mut stream = None;
    let error = loop {
        tokio::select! {
            // A response that was complete when the process ended is a response.
            biased;
            Some(report) = reports.recv() => match report {
                Report::Delivered => delivered = true,
                Report::Answered(result) => return Ending::Whole(result),
                Report::Started { response, body } => {
                    stream = Some(body);
                    // The caller may have gone: then the receiver is dropped here, and `on_disconnect` applies.
                    reply(answer, Ok(Answer::Streaming(response)));
                }
                Report::Ended(result) => {
                    return match stream {
                        Some(body) => Ending::Stream(body, result),
                        None => Ending::Whole(result.map(|()| Bytes::new())),
                    };
                }
            },
            Some(()) = &mut killing, if !killed => {
                killed = true;
                environment.kill();
            }
            () = sleep_until(deadline) => {
                environment.kill();
                environment.exited().await;
                break InvokeError::TimedOut { function: name.clone(), after: timeout };
            }
            // What a stream's reader has not read yet is still to be forwarded; `Ended` follows.
            () = environment.closed(), if stream.is_none() => {
                if !delivered {
                    return Ending::Undelivered;
                }
                break InvokeError::Exited { function: name.clone() };
            }
        }
    };
    match stream {
        Some(body) => Ending::Stream(body, Err(error)),
        None => Ending::Whole(Err(error)),
    }
}

fn reply(to: &mut Option<Reply>, answer: Result<Answer, InvokeError>) {
    if let Some(to) = to.take() {
        // A failure means that the caller did not wait for the answer.
        drop(to.send(answer));
    }
}

/// One line for the function's log. A function's own message is left out: it may quote what it was given.
fn platform_line(error: &InvokeError) -> String {
    match error {
        InvokeError::TimedOut { after, .. } => {
            format!("Task timed out after {:.2} seconds", after.as_secs_f64())
        }
        InvokeError::Function { error_type, .. } => format!("Invocation failed: {error_type}"),
        InvokeError::Exited { .. } => "Runtime exited before it answered".to_owned(),
        InvokeError::UnknownFunction(_) | InvokeError::Throttled { .. } | InvokeError::Init { .. } => {
            format!("Invocation failed: {error}")
        }
    }
}
