//! What goes wrong with one stream, what its client does, and what should come of it.

use std::time::Duration;

use fastrand::Rng;
use local_cloud::{
    bedrock::{Ending, Framing, Script},
    faults::Plan,
};
use probe::Architecture;

use crate::{check::Breach, history::History};

/// In every answer; it must be in no log.
pub const ANSWER_CANARY: &str = "canary-of-the-answer";

pub struct Scenario {
    pub architecture: Architecture,
    pub plan: Plan,
    pub client: Client,
    /// How long the client waits for the next event that is not a ping.
    pub patience: Duration,
    pub expect: Expect,
    /// What only this fault's history has to be looked at for.
    pub also: Option<Also>,
}

/// `calls` are those that functions made: posts, publishes, sends.
pub type Also = fn(history: &History, calls: [usize; 3]) -> Vec<Breach>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Reads to the end.
    Stays,
    /// Closes the connection after so many deltas.
    Leaves { after: usize },
    /// Waits for the end, but not for long once the model's connection is closed.
    UntilModelCloses,
    /// The same, where the first fault says for good that nobody reads any more.
    UntilRefused,
    /// Asks once more, under the same id, when it was told that it may.
    AsksAgain,
    /// Comes back for the rest over `via` whenever the connection breaks or an event is missing, and also drops it
    /// itself.
    Returns { via: Architecture, drops: Drops },
    /// Asks for the end over `via`, and hears what comes until then.
    Stops { via: Architecture, when: When },
}

/// Which connections a client drops: the first, and the first that brings the rest. The others it keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// After so many deltas; 0: when the model has been asked.
    pub first: Option<usize>,
    pub second: Option<usize>,
    /// Does not come back before the model's connection is closed.
    pub late: bool,
}

/// The moment to ask for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The prompt waits in the queue.
    Queued,
    /// The model has been asked.
    Asked,
    /// After so many deltas.
    Deltas(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// The whole answer.
    Done,
    /// An end that was asked for.
    Stopped,
    /// One of these codes.
    Error(&'static [&'static str]),
    /// The client notices by itself.
    Noticed,
    /// It was not there to see the end.
    Left,
    /// Whatever the invariants allow.
    Any,
}

/// Above a function's 10 s for a post that does not succeed.
const PATIENCE: Duration = Duration::from_secs(25);

impl Scenario {
    pub fn new(architecture: Architecture, plan: Plan, expect: Expect) -> Self {
        Self { architecture, plan, client: Client::Stays, patience: PATIENCE, expect, also: None }
    }

    /// Whether a run without the fault proves nothing.
    pub fn must_meet(&self) -> bool {
        let Plan { posts, publishes, sends, store, deliveries, .. } = &self.plan;
        let calls = [posts, publishes, sends, store].into_iter().any(|faults| !faults.is_empty());
        (calls || !deliveries.is_empty()) && self.expect != Expect::Any
    }

    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    #[must_use]
    pub fn also(mut self, also: Also) -> Self {
        self.also = Some(also);
        self
    }
}

/// Answers that differ from stream to stream: text of one shows in another at once.
pub fn script(rng: &mut Rng) -> Script {
    let count = rng.usize(8..40);
    let tokens = std::iter::once(ANSWER_CANARY.to_owned()).chain((0..count).map(|_| token(rng)));
    Script {
        tokens: Some(tokens.collect()),
        first_token_after: Duration::from_millis(rng.u64(0..30)),
        between_tokens: Duration::from_millis(rng.u64(1..12)),
        ending: Ending::default(),
        framing: Framing::Whole,
    }
}

/// One that lasts until somebody stops it.
pub fn endless(rng: &mut Rng) -> Script {
    Script {
        tokens: Some((0..400).map(|at| format!("{at}-{} ", rng.u16(..))).collect()),
        between_tokens: Duration::from_millis(25 + rng.u64(0..50)),
        ..script(rng)
    }
}

/// Slow enough for half a dozen messages, however they are coalesced: for 250 ms at most.
pub fn slow(rng: &mut Rng) -> Script {
    Script { between_tokens: Duration::from_millis(110 + rng.u64(0..40)), ..script(rng) }
}

pub fn ending(rng: &mut Rng, ending: Ending) -> Script {
    Script { ending, ..script(rng) }
}

pub fn any(rng: &mut Rng) -> Architecture {
    *rng.choice(&Architecture::ALL).expect("three")
}

pub fn another(rng: &mut Rng, than: Architecture) -> Architecture {
    let others: Vec<_> = Architecture::ALL.into_iter().filter(|other| *other != than).collect();
    *rng.choice(&others).expect("two")
}

/// A message in the middle of an answer of `slow`.
pub fn early(rng: &mut Rng) -> usize {
    rng.usize(0..4)
}

/// A token in the middle of an answer of `script`.
pub fn middle(rng: &mut Rng) -> usize {
    rng.usize(1..7)
}

/// Words, and what has broken implementations before: characters of two, three and four bytes, characters made of
/// several, the escapes of JSON, and the line ends and field names of server-sent events.
fn token(rng: &mut Rng) -> String {
    const HARD: [&str; 18] = [
        "é",
        "日本",
        "🦀",
        "👩‍",
        "👩",
        "\u{301}",
        "\u{200d}",
        "\n",
        "\r\n",
        "\n\n",
        "\"",
        "\\",
        "\\u0041",
        "\u{0}",
        "\t",
        "data: ",
        "\u{2028}",
        "</script>",
    ];
    if rng.u8(0..4) == 0 {
        (*rng.choice(&HARD).expect("some")).to_owned()
    } else {
        format!("w{} ", rng.u32(..))
    }
}
