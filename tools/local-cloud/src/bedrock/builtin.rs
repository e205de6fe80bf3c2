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
    journal::Record,
    request::Conversation,
    text,
};

/// When each token comes.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    first_token_after: Duration,
    between_tokens: Duration,
    /// Up to so much is added to or taken from each gap, the same for the same prompt.
    jitter: Duration,
}

impl Pace {
    pub(super) const FIRST_TOKEN: Duration = Duration::from_millis(350);
    pub(super) const BETWEEN_TOKENS: Duration = Duration::from_millis(18);
    const JITTER: Duration = Duration::from_millis(6);
}

/// An answer under way.
pub(super) struct Playback {
    steps: VecDeque<Step>,
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
}

impl Playback {
    pub(super) fn usual(conversation: &Conversation, record: Record) -> Self {
        let pace = Pace {
            first_token_after: Pace::FIRST_TOKEN,
            between_tokens: Pace::BETWEEN_TOKENS,
            jitter: Pace::JITTER,
        };
        Self::new(None, pace, Ending::Stop { reason: "end_turn".to_owned() }, conversation, record)
    }

    pub(super) fn scripted(script: Script, conversation: &Conversation, record: Record) -> Self {
        let pace = Pace {
            first_token_after: script.first_token_after,
            between_tokens: script.between_tokens,
            jitter: Duration::ZERO,
        };
        Self::new(script.tokens, pace, script.ending, conversation, record)
    }

    /// Dropping the stream is the end of the answer.
    pub(super) fn frames(self) -> impl Stream<Item = Bytes> + Send {
        stream::unfold(self, |mut playback| async move {
            let frame = playback.next().await?;
            Some((frame, playback))
        })
    }

    fn new(
        tokens: Option<Vec<String>>,
        pace: Pace,
        ending: Ending,
        conversation: &Conversation,
        record: Record,
    ) -> Self {
        let prompt = conversation.prompt();
        let mut tokens = tokens.unwrap_or_else(|| text::pieces(&text::answer(prompt)));
        let limit = conversation.inference.max_tokens.map_or(usize::MAX, |max| max as usize);
        let stopped_by_limit = tokens.len() > limit;
        tokens.truncate(limit);
        let usage = Usage { input: input_tokens(conversation), output: tokens.len() as u64 };

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
        };
        tokens.truncate(sent);

        let (mut at, seed) = (pace.first_token_after, text::hash(prompt));
        let mut steps = VecDeque::from([Step::send(at, frame::message_start())]);
        for (index, token) in tokens.into_iter().enumerate() {
            if index > 0 {
                at += pace.between_tokens.saturating_sub(pace.jitter) + jitter(pace.jitter, seed, index);
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
        }
        Playback { steps, started: Instant::now(), record }
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self.steps.pop_front()? {
            Step::Send { at, frame, token } => {
                let due = self.started + at;
                if due > Instant::now() {
                    tokio::time::sleep_until(due.into()).await;
                }
                if let Some(token) = token {
                    self.record.token(token);
                }
                Some(frame)
            }
            Step::Metadata { usage } => {
                // Here and not when the stream is polled once more: by then the caller may have gone, content.
                self.record.complete();
                Some(frame::metadata(Some(usage), self.started.elapsed()))
            }
            Step::Stall => std::future::pending().await,
        }
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
