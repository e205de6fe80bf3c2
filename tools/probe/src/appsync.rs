//! appsync: subscribe, wait until the subscription stands, then start the stream with a mutation.
//!
//! The order matters: a mutation sent before `start_ack` loses the first tokens, as `AppSync` replays nothing.

mod events;
mod realtime;
mod resume;

use std::{pin::pin, time::Instant};

use http::Method;
use serde_json::{Map, Value, json};

use crate::{
    DEFAULT_TIMEOUT, ProbeError, Received, Request, Settings,
    intake::Intake,
    net::{self, Http},
    settings::require,
};

pub use events::contract;
pub use realtime::{Message, Realtime};
pub(crate) use resume::resume;

macro_rules! event_fields {
    () => {
        "{ sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs code \
         message retryable }"
    };
}

/// Selects every field, so that one subscription serves every type of event.
pub const SUBSCRIPTION: &str = concat!(
    "subscription ($sessionId: ID!) { onTokenReceived(sessionId: $sessionId) ",
    event_fields!(),
    " }"
);

pub const STREAM_EVENTS: &str = concat!(
    "query ($sessionId: ID!, $after: Int) { streamEvents(sessionId: $sessionId, after: $after) { ended events ",
    event_fields!(),
    " } }"
);

pub const CANCEL_STREAM: &str =
    "mutation ($sessionId: ID!) { cancelStream(sessionId: $sessionId) { sessionId } }";

pub const START_STREAM: &str = "mutation ($sessionId: ID!, $prompt: String, $messages: [ChatMessageInput!], \
    $system: String, $maxTokens: Int) { startStream(sessionId: $sessionId, prompt: $prompt, messages: $messages, \
    system: $system, maxTokens: $maxTokens) { sessionId } }";

/// Any GraphQL operation over HTTP; the answer's JSON, which may well hold `errors`.
pub async fn mutate(
    settings: &Settings,
    access_token: &str,
    query: &str,
    variables: Value,
) -> Result<Value, ProbeError> {
    let exchange = graphql(settings, access_token, query, variables);
    net::within(DEFAULT_TIMEOUT, "the mutation", exchange).await.map(|(_, answer)| answer)
}

/// The variables of `startStream` for a request. Fields that GraphQL does not have are left out.
pub fn variables(request: &Request) -> Value {
    let mut variables = Map::from_iter([("sessionId".to_owned(), json!(request.stream_id))]);
    for (field, variable) in
        [("prompt", "prompt"), ("messages", "messages"), ("system", "system"), ("max_tokens", "maxTokens")]
    {
        if let Some(value) = request.body.get(field) {
            variables.insert(variable.to_owned(), value.clone());
        }
    }
    Value::Object(variables)
}

/// A part of a stream out of the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// In the contract's form.
    pub events: Vec<Received>,
    /// Whether the last of them is the stream's end.
    pub ended: bool,
}

/// What the log has after a number, or from the beginning, as much as it tells at once.
pub async fn stream_events(
    settings: &Settings,
    access_token: &str,
    session_id: &str,
    after: Option<u64>,
) -> Result<Logged, ProbeError> {
    let variables = json!({"sessionId": session_id, "after": after});
    let asking = graphql(settings, access_token, STREAM_EVENTS, variables);
    let (status, answer) = net::within(DEFAULT_TIMEOUT, "the query", asking).await?;
    let at = Instant::now();
    let told = events::answered("query", status, &answer, "streamEvents")?;
    let fields = told["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    let received = |fields: &Value| {
        let event = events::from_fields(fields)?;
        Ok(Received { at, event, bytes: fields.to_string().len() })
    };
    let events = fields.iter().map(received).collect::<Result<_, ProbeError>>()?;
    Ok(Logged { events, ended: told["ended"] == true })
}

/// Asks for the end of a stream.
pub async fn cancel(settings: &Settings, access_token: &str, session_id: &str) -> Result<(), ProbeError> {
    let variables = json!({"sessionId": session_id});
    let asking = graphql(settings, access_token, CANCEL_STREAM, variables);
    let (status, answer) = net::within(DEFAULT_TIMEOUT, "the mutation", asking).await?;
    events::answered("mutation", status, &answer, "cancelStream").map(|_| ())
}

pub(crate) async fn run<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let mut subscription = Subscription::open(settings, access_token, request, intake).await?;
    let mut mutation = pin!(graphql(settings, access_token, START_STREAM, variables(request)));
    let mut started = false;
    while !intake.ended() {
        tokio::select! {
            biased;
            // The first tokens may well overtake the mutation's answer, but a refusal that is there goes first.
            answer = &mut mutation, if !started => {
                started = true;
                let (status, answer) = answer?;
                intake.trace.http_status = Some(status);
                if let Some(refusal) = events::refusal(status, &answer, request)? {
                    intake.take(refusal)?;
                }
            }
            event = subscription.next() => intake.take(event?.ok_or_else(|| intake.closed())?)?,
            () = tokio::time::sleep_until(intake.deadline()) => return Err(intake.expired()),
        }
    }
    subscription.close().await;
    Ok(())
}

/// The events of one stream as they are published.
struct Subscription {
    realtime: Realtime,
    id: String,
    session_id: String,
}

impl Subscription {
    /// After its `start_ack`.
    async fn open<F: FnMut(&Received)>(
        settings: &Settings,
        access_token: &str,
        stream: &Request,
        intake: &mut Intake<F>,
    ) -> Result<Self, ProbeError> {
        let mut realtime = Realtime::connect_within(settings, access_token, intake.timeout).await?;
        let id = realtime.subscribe(&stream.stream_id).await?;
        intake.trace.connected.get_or_insert_with(Instant::now);
        Ok(Self { realtime, id, session_id: stream.stream_id.clone() })
    }

    /// `None` once the server has closed. Safe to cancel.
    async fn next(&mut self) -> Result<Option<Received>, ProbeError> {
        match self.realtime.message().await? {
            Some(Message::Data { id, payload, at, bytes }) if id == self.id => {
                let event = events::contract(&payload)?;
                if event["stream_id"] != self.session_id.as_str() {
                    return Err(ProbeError::Protocol("an event of another stream arrived".to_owned()));
                }
                Ok(Some(Received { at, event, bytes }))
            }
            Some(Message::Error { payload, .. }) => Err(events::refused("subscription", &payload)),
            Some(Message::Data { .. }) => {
                Err(ProbeError::Protocol("data of an unknown subscription arrived".to_owned()))
            }
            Some(Message::Complete { .. }) | None => Ok(None),
        }
    }

    async fn close(self) {
        self.realtime.close(&[&self.id]).await;
    }
}

async fn graphql(
    settings: &Settings,
    access_token: &str,
    query: &str,
    variables: Value,
) -> Result<(u16, Value), ProbeError> {
    let http = Http::new(&require(&settings.graphql_url, "VITE_GRAPHQL_URL")?)?;
    let headers = [("authorization", access_token), ("content-type", "application/json")];
    let body = json!({"query": query, "variables": variables}).to_string();
    let (status, _, answer) = http.exchange(Method::POST, &headers, body).await?;
    match serde_json::from_slice(&answer) {
        Ok(answer) => Ok((status, answer)),
        Err(_) => Err(ProbeError::Refused {
            what: "GraphQL request",
            status: Some(status),
            reason: "the answer is not JSON".to_owned(),
        }),
    }
}
