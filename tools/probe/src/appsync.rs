//! appsync: subscribe, wait until the subscription stands, then start the stream with a mutation.
//!
//! The order matters: a mutation sent before `start_ack` loses the first tokens, as `AppSync` replays nothing.

mod events;
mod realtime;

use std::{pin::pin, time::Instant};

use serde_json::{Map, Value, json};

use crate::{
    DEFAULT_TIMEOUT, ProbeError, Received, Request, Settings,
    intake::Intake,
    net::{self, Http},
    settings::require,
};

pub use events::contract;
pub use realtime::{Message, Realtime};

/// Selects every field, so that one subscription serves every type of event.
pub const SUBSCRIPTION: &str = "subscription ($sessionId: ID!) { onTokenReceived(sessionId: $sessionId) { \
    sessionId owner type seq text model stopReason inputTokens outputTokens firstTokenMs totalMs code message \
    retryable } }";

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

pub(crate) async fn run<F: FnMut(&Received)>(
    settings: &Settings,
    access_token: &str,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    let mut realtime = Realtime::connect_within(settings, access_token, intake.timeout).await?;
    let subscription = realtime.subscribe(&request.stream_id).await?;
    intake.trace.connected = Some(Instant::now());

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
            message = realtime.message() => match message? {
                Some(Message::Data { id, payload, at, bytes }) if id == subscription => {
                    let event = events::contract(&payload)?;
                    if event["stream_id"] != request.stream_id.as_str() {
                        return Err(ProbeError::Protocol("an event of another stream arrived".to_owned()));
                    }
                    intake.take(Received { at, event, bytes })?;
                }
                Some(Message::Error { payload, .. }) => return Err(events::refused("subscription", &payload)),
                Some(Message::Data { .. }) => {
                    return Err(ProbeError::Protocol("data of an unknown subscription arrived".to_owned()));
                }
                Some(Message::Complete { .. }) | None => return Err(intake.closed()),
            },
            () = tokio::time::sleep_until(intake.deadline()) => return Err(intake.expired()),
        }
    }
    realtime.close(&[&subscription]).await;
    Ok(())
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
    let (status, _, answer) = http.exchange(&headers, body).await?;
    match serde_json::from_slice(&answer) {
        Ok(answer) => Ok((status, answer)),
        Err(_) => Err(ProbeError::Refused {
            what: "GraphQL request",
            status: Some(status),
            reason: "the answer is not JSON".to_owned(),
        }),
    }
}
