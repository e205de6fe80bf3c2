//! An OpenAI-compatible server as the model: `POST {url}/chat/completions` with `stream: true`.

use std::{collections::VecDeque, pin::Pin, time::Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::Client,
    error::Refusal,
    frame::{self, Usage},
    journal::Record,
    request::{Conversation, Role},
    sse::EventReader,
};

pub(super) struct Server {
    url: String,
    model: String,
    client: Client,
}

impl Server {
    pub(super) fn new(url: &str, model: String) -> Self {
        Server { url: url.trim_end_matches('/').to_owned(), model, client: Client::new(url) }
    }

    /// The frames of the answer. Dropping them closes the connection to the server, which stops the model.
    pub(super) async fn open(
        &self,
        conversation: &Conversation,
        record: Record,
    ) -> Result<impl Stream<Item = Bytes> + Send + 'static, Refusal> {
        let began = Instant::now();
        let request = self
            .client
            .get()?
            .post(format!("{}/chat/completions", self.url))
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .body(request(&self.model, conversation).to_string());
        let response = request.send().await.map_err(|_| {
            Refusal::unavailable(format!("The model server at {} does not answer: is it running?", self.url))
        })?;
        if !response.status().is_success() {
            return Err(self.refusal(response.status()));
        }
        let answer = Answer {
            upstream: Box::pin(response.bytes_stream()),
            reader: EventReader::default(),
            ready: VecDeque::new(),
            block: None,
            started: false,
            stopped: false,
            ended: None,
            usage: None,
            began,
            record,
        };
        Ok(stream::unfold(answer, |mut answer| async move {
            let frame = answer.next().await?;
            Some((frame, answer))
        }))
    }

    fn refusal(&self, status: StatusCode) -> Refusal {
        let message = format!("The model server at {} answered {status}", self.url);
        match status {
            StatusCode::TOO_MANY_REQUESTS => Refusal::throttled(message + "."),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::access_denied(message + "."),
            StatusCode::NOT_FOUND => {
                Refusal::not_found(format!("{message}: does it know the model {}?", self.model))
            }
            status if status.is_client_error() => Refusal::validation(message + "."),
            _ => Refusal::unavailable(message + "."),
        }
    }
}

fn request(model: &str, conversation: &Conversation) -> Value {
    let system = conversation.system.iter().map(|text| json!({"role": "system", "content": text}));
    let turns = conversation.messages.iter().map(|message| {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({"role": role, "content": message.text})
    });
    let mut request = json!({
        "model": model,
        "messages": system.chain(turns).collect::<Vec<_>>(),
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let inference = &conversation.inference;
    for (name, value) in [
        ("max_tokens", inference.max_tokens.map(Value::from)),
        ("temperature", inference.temperature.map(Value::from)),
        ("top_p", inference.top_p.map(Value::from)),
    ] {
        if let Some(value) = value {
            request[name] = value;
        }
    }
    request
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
}

enum Ended {
    Complete,
    Broken,
}

struct Answer {
    upstream: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    reader: EventReader,
    /// Frames to send, each with the token in it.
    ready: VecDeque<(Bytes, Option<String>)>,
    /// The open content block: reasoning is one, the text after it another.
    block: Option<(u32, Kind)>,
    started: bool,
    /// `messageStop` is out; only the usage may still come.
    stopped: bool,
    ended: Option<Ended>,
    usage: Option<Usage>,
    began: Instant,
    record: Record,
}

impl Answer {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some((frame, token)) = self.ready.pop_front() {
                if let Some(token) = token {
                    self.record.token(token);
                }
                if self.ready.is_empty() && matches!(self.ended, Some(Ended::Complete)) {
                    self.record.complete();
                }
                return Some(frame);
            }
            if self.ended.is_some() {
                return None;
            }
            let events = match self.upstream.next().await {
                Some(Ok(bytes)) => self.reader.push(&bytes).map_err(|_| BROKEN),
                Some(Err(_)) => Err(BROKEN),
                None => self.end(),
            };
            match events {
                Ok(events) => events.iter().for_each(|data| self.event(data)),
                Err(reason) => self.fail(reason),
            }
        }
    }

    /// The server closed the stream: complete if it had said how the answer stopped.
    fn end(&mut self) -> Result<Vec<String>, &'static str> {
        let last = self.reader.finish().map_err(|_| BROKEN)?;
        if let Some(data) = last {
            self.event(&data);
        }
        if self.ended.is_none() {
            self.done();
        }
        Ok(Vec::new())
    }

    fn event(&mut self, data: &str) {
        if self.ended.is_some() {
            return;
        }
        if data == "[DONE]" {
            return self.done();
        }
        let Ok(chunk) = serde_json::from_str::<Chunk>(data) else {
            return self.fail("The model server sent something that is no chunk of an answer.");
        };
        if chunk.error.is_some() {
            return self.fail("The model server reported an error in the middle of the answer.");
        }
        if !std::mem::replace(&mut self.started, true) {
            self.ready.push_back((frame::message_start(), None));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(Usage { input: usage.prompt_tokens, output: usage.completion_tokens });
        }
        let Some(choice) = chunk.choices.unwrap_or_default().into_iter().next() else { return };
        if self.stopped {
            return;
        }
        let delta = choice.delta.unwrap_or_default();
        self.delta(Kind::Reasoning, delta.reasoning_content.or(delta.reasoning));
        self.delta(Kind::Text, delta.content);
        match choice.finish_reason.as_deref() {
            None => {}
            Some("stop") => self.stop("end_turn"),
            Some("length") => self.stop("max_tokens"),
            Some("content_filter") => self.stop("content_filtered"),
            Some(_) => self.fail("The model server stopped for a reason that is not known here."),
        }
    }

    fn delta(&mut self, kind: Kind, text: Option<String>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let block = match self.block {
            Some((block, open)) if open == kind => block,
            Some((block, _)) => {
                self.ready.push_back((frame::content_block_stop(block), None));
                block + 1
            }
            None => 0,
        };
        self.block = Some((block, kind));
        self.ready.push_back(match kind {
            Kind::Text => (frame::text(block, &text), Some(text)),
            Kind::Reasoning => (frame::reasoning(block, &text), None),
        });
    }

    fn stop(&mut self, reason: &str) {
        if let Some((block, _)) = self.block.take() {
            self.ready.push_back((frame::content_block_stop(block), None));
        }
        self.ready.push_back((frame::message_stop(reason), None));
        self.stopped = true;
    }

    fn done(&mut self) {
        if !self.stopped {
            return self.fail(BROKEN);
        }
        self.ready.push_back((frame::metadata(self.usage, self.began.elapsed()), None));
        self.ended = Some(Ended::Complete);
    }

    fn fail(&mut self, reason: &str) {
        self.ready.push_back((frame::exception("modelStreamErrorException", reason), None));
        self.ended = Some(Ended::Broken);
    }
}

const BROKEN: &str = "The answer of the model server broke off.";

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<ChunkUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

#[derive(Deserialize)]
struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}
