//! The events that functions get, in API Gateway's shapes.

use std::time::SystemTime;

use axum::extract::Query;
use http::{
    HeaderMap,
    header::{CONNECTION, UPGRADE},
    request::Parts,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::connection::{Client, Connection, random_id};
use crate::lambda::clock;

const API_ID: &str = "local";

/// Why a connection ended, as `$disconnect` is told.
#[derive(Debug, Clone)]
pub(super) struct Disconnect {
    pub(super) code: u16,
    pub(super) reason: String,
}

pub(super) fn method_arn(stage: &str) -> String {
    format!("arn:aws:execute-api:us-east-1:000000000000:{API_ID}/{stage}/$connect")
}

/// For a REQUEST authorizer ("Create a Lambda REQUEST authorizer" for WebSocket APIs).
pub(super) fn authorizer(stage: &str, client: &Client, head: &Parts) -> Value {
    let mut event = connect_fields(head);
    event.insert("type".to_owned(), "REQUEST".into());
    event.insert("methodArn".to_owned(), method_arn(stage).into());
    event.insert("stageVariables".to_owned(), json!({}));
    for absent_in_proxy_events in ["queryStringParameters", "multiValueQueryStringParameters"] {
        event.entry(absent_in_proxy_events).or_insert_with(|| json!({}));
    }
    event.insert("requestContext".to_owned(), request_context(stage, client, "$connect", "CONNECT").into());
    event.into()
}

pub(super) fn connect(stage: &str, client: &Client, authorizer: &Map<String, Value>, head: &Parts) -> Value {
    let mut event = connect_fields(head);
    let mut context = request_context(stage, client, "$connect", "CONNECT");
    context.insert("authorizer".to_owned(), authorizer.clone().into());
    event.insert("requestContext".to_owned(), context.into());
    event.insert("isBase64Encoded".to_owned(), false.into());
    event.into()
}

/// The context of a message, for the proxy event and for `$context` in the template.
pub(super) fn message_context(stage: &str, connection: &Connection, route_key: &str) -> Map<String, Value> {
    let mut context = request_context(stage, &connection.client, route_key, "MESSAGE");
    context.insert("messageId".to_owned(), random_id().into());
    context.insert("authorizer".to_owned(), connection.authorizer.clone().into());
    context
}

pub(super) fn message(context: &Map<String, Value>, body: &str, is_base64_encoded: bool) -> Value {
    json!({ "requestContext": context, "body": body, "isBase64Encoded": is_base64_encoded })
}

pub(super) fn disconnect(stage: &str, connection: &Connection, why: &Disconnect) -> Value {
    let mut context = request_context(stage, &connection.client, "$disconnect", "DISCONNECT");
    context.insert("disconnectStatusCode".to_owned(), why.code.into());
    context.insert("disconnectReason".to_owned(), why.reason.as_str().into());
    context.insert("authorizer".to_owned(), connection.authorizer.clone().into());
    json!({ "requestContext": context, "isBase64Encoded": false })
}

fn request_context(stage: &str, client: &Client, route_key: &str, event_type: &str) -> Map<String, Value> {
    let now = SystemTime::now();
    let context = json!({
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": random_id(),
        "requestTime": clock::request_time(now),
        "messageDirection": "IN",
        "stage": stage,
        "connectedAt": clock::epoch_ms(client.connected_at),
        "requestTimeEpoch": clock::epoch_ms(now),
        "identity": { "sourceIp": client.source_ip.to_string(), "userAgent": client.user_agent },
        "requestId": Uuid::new_v4().to_string(),
        "domainName": client.domain_name,
        "connectionId": client.connection_id,
        "apiId": API_ID,
    });
    match context {
        Value::Object(context) => context,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// Of several values of a header or parameter the plain maps hold the last; absent parameters have no member.
fn connect_fields(head: &Parts) -> Map<String, Value> {
    let (last, all) = single_and_multi(headers(&head.headers));
    let mut fields =
        Map::from_iter([("headers".to_owned(), last.into()), ("multiValueHeaders".to_owned(), all.into())]);
    if let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&head.uri)
        && !pairs.is_empty()
    {
        let (last, all) = single_and_multi(pairs);
        fields.insert("queryStringParameters".to_owned(), last.into());
        fields.insert("multiValueQueryStringParameters".to_owned(), all.into());
    }
    fields
}

fn single_and_multi(pairs: Vec<(String, String)>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut last, mut all) = (Map::new(), Map::new());
    for (name, value) in pairs {
        last.insert(name.clone(), value.clone().into());
        if let Value::Array(values) = all.entry(name).or_insert_with(|| json!([])) {
            values.push(value.into());
        }
    }
    (last, all)
}

/// API Gateway keeps the spelling of the client, which hyper has lost; browsers write `Sec-WebSocket-Protocol`.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| ![CONNECTION, UPGRADE].contains(name))
        .map(|(name, value)| {
            (in_title_case(name.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

fn in_title_case(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .map(|word| match word.split_at_checked(1) {
            Some(("w", "ebsocket")) => "WebSocket".to_owned(),
            Some((first, rest)) => first.to_ascii_uppercase() + rest,
            None => String::new(),
        })
        .collect();
    words.join("-")
}
