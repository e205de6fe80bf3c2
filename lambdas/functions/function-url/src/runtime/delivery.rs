//! An answer on its way to the Runtime API
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>).
//!
//! Each token passes here. So the little of HTTP/1.1 that a streaming request needs is written to the socket as it is:
//! there is no task to be woken for a token, no channel to that, and no buffer but one that stays.

#[cfg(test)]
pub(crate) mod socket;
#[cfg(test)]
mod tests;
mod verdict;

use std::{
    future::poll_fn,
    io::{self, ErrorKind, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use lambda_runtime::MetadataPrelude;
use tokio::net::TcpStream;

use self::verdict::Verdict;
use super::RuntimeError;

/// Ends the prelude
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html>).
const PRELUDE_END: [u8; 8] = [0; 8];

/// What the Runtime API says to an answer is a line.
const MAX_HEARD_BYTES: usize = 16 * 1024;

/// One answer. Whoever has it may write; the loop ends it.
#[derive(Debug)]
pub(crate) struct Delivery {
    connection: Arc<Connection>,
    request_id: String,
    state: Mutex<State>,
}

/// A connection for answers, one after the other.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    authority: String,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// What the socket has not taken.
    unsent: Vec<u8>,
    /// What the Runtime API has said.
    heard: Vec<u8>,
    hung_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NotBegun,
    Open,
    Ended,
    /// The Runtime API takes no more of what is no whole request.
    Refused,
}

/// Nobody reads the answer any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Connection {
    /// `authority` is host and port.
    pub(super) async fn open(authority: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, authority: authority.to_owned() })
    }

    /// Whether nothing has come since the last answer, such as its end.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

impl Delivery {
    pub(super) fn new(connection: Arc<Connection>, request_id: String) -> Self {
        let state = State { phase: Phase::NotBegun, unsent: Vec::new(), heard: Vec::new(), hung_up: false };
        Self { connection, request_id, state: Mutex::new(state) }
    }

    /// Sends the head, and the prelude with its end in one chunk.
    pub(crate) async fn begin(&self, head: &MetadataPrelude) -> Result<(), Closed> {
        self.write(Phase::NotBegun, Phase::Open, |unsent| {
            // hyper, for one, drops a trailer that was not announced.
            write!(
                unsent,
                "POST /2018-06-01/runtime/invocation/{}/response HTTP/1.1\r\n\
                 host: {}\r\n\
                 content-type: application/vnd.awslambda.http-integration-response\r\n\
                 lambda-runtime-function-response-mode: streaming\r\n\
                 transfer-encoding: chunked\r\n\
                 trailer: lambda-runtime-function-error-type, lambda-runtime-function-error-body\r\n\r\n",
                self.request_id, self.connection.authority,
            )
            .expect("a vector can be written to");
            let mut prelude = serde_json::to_vec(head).expect("a status and headers always serialize");
            prelude.extend_from_slice(&PRELUDE_END);
            push_chunk(unsent, &prelude);
        })
        .await
    }

    /// Resolves when the socket has taken it: a slow reader slows the writer.
    pub(crate) async fn send(&self, chunk: &[u8]) -> Result<(), Closed> {
        self.write(Phase::Open, Phase::Open, |unsent| push_chunk(unsent, chunk)).await
    }

    /// Ends the answer as broken: Lambda then breaks off the client's connection.
    pub(crate) async fn break_off(&self, error_type: &'static str) -> Result<(), Closed> {
        self.end(&[("type", error_type), ("body", "")]).await
    }

    /// Resolves when nobody reads the answer any more.
    pub(crate) async fn closed(&self) {
        poll_fn(|context| {
            let state = &mut *self.state();
            if state.is_answered() { Poll::Ready(()) } else { self.poll_hear(context, state) }
        })
        .await;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.state().phase != Phase::NotBegun
    }

    /// Ends an answer that has not ended, and waits for what the Runtime API says to it.
    pub(super) async fn finish(&self) -> Result<Verdict, RuntimeError> {
        // If it is refused, the reason is to be heard.
        let _ = self.end(&[]).await;
        poll_fn(|context| {
            let state = &mut *self.state();
            loop {
                if let Some(mut verdict) = Verdict::read(&state.heard)? {
                    verdict.keeps_connection &= state.phase == Phase::Ended;
                    return Poll::Ready(Ok(verdict));
                }
                if state.hung_up || state.heard.len() > MAX_HEARD_BYTES {
                    return Poll::Ready(Err(RuntimeError::BrokenOff));
                }
                ready!(self.poll_hear(context, state));
            }
        })
        .await
    }

    async fn end(&self, trailers: &[(&str, &str)]) -> Result<(), Closed> {
        self.write(Phase::Open, Phase::Ended, |unsent| {
            unsent.extend_from_slice(b"0\r\n");
            for (name, value) in trailers {
                write!(unsent, "lambda-runtime-function-error-{name}: {value}\r\n")
                    .expect("a vector can be written to");
            }
            unsent.extend_from_slice(b"\r\n");
        })
        .await
    }

    /// Whoever gives up waiting leaves what is unsent to the next that writes.
    async fn write(&self, from: Phase, to: Phase, bytes: impl FnOnce(&mut Vec<u8>)) -> Result<(), Closed> {
        {
            let state = &mut *self.state();
            self.hear(state);
            if state.is_answered() && state.phase != Phase::Ended {
                state.phase = Phase::Refused;
            }
            if state.phase != from {
                return Err(Closed);
            }
            state.phase = to;
            bytes(&mut state.unsent);
        }
        poll_fn(|context| self.poll_flush(context, &mut self.state())).await
    }

    fn poll_flush(&self, context: &mut Context<'_>, state: &mut State) -> Poll<Result<(), Closed>> {
        while !state.unsent.is_empty() {
            let is_over = match self.connection.stream.try_write(&state.unsent) {
                Ok(written) => {
                    state.unsent.drain(..written);
                    false
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // It may have stopped reading for good, and said so.
                    self.poll_hear(context, state).is_ready()
                        || ready!(self.connection.stream.poll_write_ready(context)).is_err()
                }
                Err(_) => true,
            };
            if is_over {
                state.phase = Phase::Refused;
                return Poll::Ready(Err(Closed));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when there is something new, be it that there will be nothing more.
    fn poll_hear(&self, context: &mut Context<'_>, state: &mut State) -> Poll<()> {
        while !self.hear(state) {
            state.hung_up = ready!(self.connection.stream.poll_read_ready(context)).is_err();
        }
        Poll::Ready(())
    }

    /// Without a call of the system as long as nothing has come.
    fn hear(&self, state: &mut State) -> bool {
        if !state.hung_up {
            match self.connection.stream.try_read_buf(&mut state.heard) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Ok(1..) => {}
                Ok(0) | Err(_) => state.hung_up = true,
            }
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_answered(&self) -> bool {
        self.hung_up || !self.heard.is_empty()
    }
}

/// <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>
fn push_chunk(unsent: &mut Vec<u8>, chunk: &[u8]) {
    // An empty chunk would be the end.
    let Some(digits) = chunk.len().checked_ilog(16) else { return };
    unsent.reserve(chunk.len() + 20);
    for place in (0..=digits).rev() {
        unsent.push(b"0123456789abcdef"[chunk.len() >> (4 * place) & 15]);
    }
    unsent.extend_from_slice(b"\r\n");
    unsent.extend_from_slice(chunk);
    unsent.extend_from_slice(b"\r\n");
}
