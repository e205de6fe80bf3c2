//! The built-in model: a list of frames, each with its time.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{
    Ending, Script,
    frame::{self, Usage},
    framing::Cutter,
    journal::Record,
    request::Conversation,
    text,
};

/// The usual pace.
pub(super) const FIRST_TOKEN: Duration = Duration::from_millis(350);
pub(super) const BETWEEN_TOKENS: Duration = Duration::from_millis(18);
/// Up to so much is added to or taken from each gap, the same for the same prompt.
const JITTER: Duration = Duration::from_millis(6);

/// An answer under way.
pub(super) struct Playback {
    steps: VecDeque<Step>,
    cutter: Cutter,
    /// What is left of the frame under way.
    pieces: VecDeque<Bytes>,
    started: Instant,
    record: Record,
}

enum Step {
    /// `at` counts from the start, so that one late frame does not delay all that follow.
    Send {
        at: Duration,
        frame: Bytes,
        token: Option<String>,
    },
    /// The last frame: it says how long the answer took.
    Metadata {
        usage: Usage,
    },
    Stall,
    Reset,
}

/// Makes hyper drop the connection.
#[derive(Debug, thiserror::Error)]
#[error("broken off by the script of this local service")]
pub(super) struct BrokenOff;

impl Playback {
    pub(super) fn usual(conversation: &Conversation, record: Record) -> Self {
        Self::new(Script::default(), JITTER, conversation, record)
    }

    pub(super) fn scripted(script: Script, conversation: &Conversation, record: Record) -> Self {
        Self::new(script, Duration::ZERO, conversation, record)
    }

    /// Dropping the stream is the end of the answer.
    pub(super) fn frames(self) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send {
        stream::unfold(self, |mut playback| async move {
            let piece = match playback.pieces.pop_front() {
                Some(piece) => Ok(piece),
                None => playback.next().await?.map(|frame| playback.cut(frame)),
            };
            Some((piece, playback))
        })
    }

    fn new(script: Script, range: Duration, conversation: &Conversation, record: Record) -> Self {
        let prompt = conversation.prompt();
        let Script { tokens, first_token_after, between_tokens, ending, framing } = script;
        let mut tokens = tokens.unwrap_or_else(|| text::pieces(&text::answer(prompt)));
        let limit = conversation.inference.max_tokens.map_or(usize::MAX, |max| max as usize);
        let stopped_by_limit = tokens.len() > limit;
        tokens.truncate(limit);
        let usage = Usage { input: input_tokens(conversation), output: tokens.len() as u64 };

        let mut bad = None;
        let (sent, last) = match ending {
            Ending::Stop { reason } => {
                (tokens.len(), Last::Stop(if stopped_by_limit { "max_tokens".to_owned() } else { reason }))
            }
            // Its refusals are used up.
            Ending::Refused { .. } => {
                let reason = if stopped_by_limit { "max_tokens" } else { "end_turn" };
                (tokens.len(), Last::Stop(reason.to_owned()))
            }
            Ending::Exception { after, kind } => (after, Last::Exception(kind)),
            Ending::Truncated { after } => (after, Last::Nothing),
            Ending::Stall { after } => (after, Last::Stall),
            Ending::Reset { after } => (after, Last::Reset),
            Ending::BadChecksum { after } => {
                bad = Some(after);
                (tokens.len(), Last::Stop("end_turn".to_owned()))
            }
        };
        tokens.truncate(sent);

        let (mut at, seed) = (first_token_after, text::hash(prompt));
        let mut steps = VecDeque::from([Step::send(at, frame::message_start())]);
        for (index, token) in tokens.into_iter().enumerate() {
            if index > 0 {
                at += between_tokens.saturating_sub(range) + jitter(range, seed, index);
            }
            steps.push_back(Step::Send { at, frame: frame::text(0, &token), token: Some(token) });
        }
        match last {
            Last::Stop(reason) => steps.extend([
                Step::send(at, frame::content_block_stop(0)),
                Step::send(at, frame::message_stop(&reason)),
                Step::Metadata { usage },
            ]),
            Last::Exception(kind) => {
                let message = "Ended by the script of this local service.";
                steps.push_back(Step::send(at, frame::exception(&kind, message)));
            }
            Last::Nothing => {}
            Last::Stall => steps.push_back(Step::Stall),
            Last::Reset => steps.push_back(Step::Reset),
        }
        // The first step is messageStart.
        if let Some(Step::Send { frame, token, .. }) = bad.and_then(|after| steps.get_mut(after + 1)) {
            *frame = frame::with_bad_checksum(frame);
            // Nobody can have read it.
            *token = None;
        }
        let (cutter, pieces) = (Cutter::new(framing), VecDeque::new());
        Playback { steps, cutter, pieces, started: Instant::now(), record }
    }

    /// The first piece; the others wait in `pieces`.
    fn cut(&mut self, frame: Bytes) -> Bytes {
        let mut rest = frame;
        let first = self.cutter.next(&mut rest);
        while !rest.is_empty() {
            let piece = self.cutter.next(&mut rest);
            self.pieces.push_back(piece);
        }
        first
    }

    async fn next(&mut self) -> Option<Result<Bytes, BrokenOff>> {
        Some(Ok(match self.steps.pop_front()? {
            Step::Send { at, frame, token } => {
                let due = self.started + at;
                if due > Instant::now() {
                    tokio::time::sleep_until(due.into()).await;
                }
                if let Some(token) = token {
                    self.record.token(token);
                }
                frame
            }
            Step::Metadata { usage } => {
                // Here and not when the stream is polled once more: by then the caller may have gone, content.
                self.record.complete();
                frame::metadata(Some(usage), self.started.elapsed())
            }
            Step::Stall => std::future::pending().await,
            Step::Reset => {
                // What is written already is flushed while nothing is ready.
                tokio::task::yield_now().await;
                return Some(Err(BrokenOff));
            }
        }))
    }
}

impl Step {
    fn send(at: Duration, frame: Bytes) -> Self {
        Step::Send { at, frame, token: None }
    }
}

enum Last {
    Stop(String),
    Exception(String),
    Nothing,
    Stall,
    Reset,
}

fn input_tokens(conversation: &Conversation) -> u64 {
    let texts = conversation.system.iter().chain(conversation.messages.iter().map(|message| &message.text));
    texts.map(|text| text::pieces(text).len() as u64).sum()
}

/// Between nothing and twice `range`.
fn jitter(range: Duration, seed: u64, index: usize) -> Duration {
    let percent = seed.wrapping_add(index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    range * u32::try_from(percent % 201).unwrap_or_default() / 100
}
