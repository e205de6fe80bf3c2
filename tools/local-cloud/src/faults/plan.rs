//! What can be planned. The JSON form is for the control endpoint; times are in milliseconds.

use serde::{Deserialize, Serialize};

use crate::bedrock::Script;

/// What goes wrong with one stream. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// How the model answers; without it, as it answers everybody.
    pub model: Option<Script>,
    /// Calls of `PostToConnection`.
    pub posts: Vec<At<CallFault>>,
    /// `publishToken` mutations.
    pub publishes: Vec<At<CallFault>>,
    /// `SendMessage`, to the queue of prompts.
    pub sends: Vec<At<CallFault>>,
    /// Calls of DynamoDB: those of the stream log.
    pub store: Vec<At<CallFault>>,
    /// Messages of a WebSocket, or portions of a Function URL's answer, on their last way to the client.
    pub deliveries: Vec<At<DeliveryFault>>,
    /// What SQS does with the prompt.
    pub queue: Option<QueueFault>,
    /// SIGKILL for the environments that work on the stream, when the model has sent so many tokens.
    pub kill_after_tokens: Option<usize>,
}

/// A fault and the calls that it meets, counted from 0 over all calls of the stream, tries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At<F> {
    pub call: usize,
    /// How many calls in a row; all that follow if it is absent.
    #[serde(default)]
    pub times: Option<usize>,
    pub fault: F,
}

/// What a service does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CallFault {
    /// Refused with this status; nothing has happened. DynamoDB says 400 for what others say otherwise: here 429 is
    /// a throttled call, 409 a conflict with another transaction.
    Refuse(u16),
    /// Done, and yet answered with this status: the answer was lost on its way.
    DoneBut(u16),
    /// Never answered; nothing has happened.
    Hang,
    /// Done, but never answered.
    DoneButHang,
    /// Done, but answered so many milliseconds later.
    Late(u64),
    /// HTTP 200 with GraphQL `errors`; nothing has happened. For `publishToken`; the other calls are refused with 500.
    GraphqlErrors,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DeliveryFault {
    Lose,
    Repeat,
    /// Delivered after the message that follows it; never, if none does.
    Swap,
    /// The connection breaks in front of it, without a goodbye.
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum QueueFault {
    /// So many deliveries at once.
    Copies(usize),
    /// Received once more when it was done with, as if deleting it had failed.
    Again,
    /// Delivered so many milliseconds later.
    Late(u64),
    /// It looks as if it had been waiting for so many milliseconds.
    Waited(u64),
}

impl<F: Copy> At<F> {
    pub fn once(call: usize, fault: F) -> Self {
        Self { call, times: Some(1), fault }
    }

    pub fn times(call: usize, times: usize, fault: F) -> Self {
        Self { call, times: Some(times), fault }
    }

    pub fn from(call: usize, fault: F) -> Self {
        Self { call, times: None, fault }
    }

    pub(super) fn meets(&self, call: usize) -> bool {
        call >= self.call && self.times.is_none_or(|times| call - self.call < times)
    }
}
