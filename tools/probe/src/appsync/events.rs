//! GraphQL's fields back into the contract's events.

use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::{ContractError, ProbeError, Received, Request, net};

/// One event out of the payload of a `data` message.
pub fn contract(payload: &Value) -> Result<Value, ProbeError> {
    if payload["errors"].is_array() {
        return Err(refused("event", payload));
    }
    from_fields(&payload["data"]["onTokenReceived"])
}

/// One event out of its fields.
pub(super) fn from_fields(fields: &Value) -> Result<Value, ProbeError> {
    let Some(kind) = fields["type"].as_str() else {
        return Err(ProbeError::Protocol("a data message has no event".to_owned()));
    };
    let mut event = Map::from_iter([("type".to_owned(), json!(kind.to_ascii_lowercase()))]);
    copy(
        fields,
        &mut event,
        &[
            ("sessionId", "stream_id"),
            ("seq", "seq"),
            ("model", "model"),
            ("text", "text"),
            ("stopReason", "stop_reason"),
            ("code", "code"),
            ("message", "message"),
            ("retryable", "retryable"),
        ],
    );
    for (group, names) in [
        ("usage", [("inputTokens", "input_tokens"), ("outputTokens", "output_tokens")]),
        ("timing", [("firstTokenMs", "first_token_ms"), ("totalMs", "total_ms")]),
    ] {
        let mut grouped = Map::new();
        copy(fields, &mut grouped, &names);
        if !grouped.is_empty() {
            event.insert(group.to_owned(), Value::Object(grouped));
        }
    }
    Ok(Value::Object(event))
}

/// What refused the mutation, as the contract's `error` event: the resolver puts the contract's code into `errorType`
/// and `retryable` into `errorInfo`. `None` if the stream was started.
pub(super) fn refusal(
    status: u16,
    answer: &Value,
    request: &Request,
) -> Result<Option<Received>, ProbeError> {
    match answered("mutation", status, answer, "startStream") {
        Ok(started) if started["sessionId"] == request.stream_id.as_str() => Ok(None),
        Ok(_) => Err(unanswered("mutation", status, answer)),
        Err(ProbeError::Contract(error)) => {
            let mut event = error.to_event();
            event["stream_id"] = json!(request.stream_id);
            Ok(Some(Received { at: Instant::now(), event, bytes: answer.to_string().len() }))
        }
        Err(error) => Err(error),
    }
}

/// The field of an answer, or what refused it: `errorType` is the contract's code.
pub(super) fn answered<'a>(
    what: &'static str,
    status: u16,
    answer: &'a Value,
    field: &str,
) -> Result<&'a Value, ProbeError> {
    if let Some(error) = answer["errors"].get(0) {
        return Err(ProbeError::Contract(ContractError {
            code: error["errorType"].as_str().unwrap_or("internal").to_owned(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            retryable: error["errorInfo"]["retryable"].as_bool().unwrap_or(false),
            retry_after: error["errorInfo"]["retryAfter"].as_u64(),
            status: Some(status),
        }));
    }
    let told = &answer["data"][field];
    if status == 200 && !told.is_null() { Ok(told) } else { Err(unanswered(what, status, answer)) }
}

/// The first of `AppSync`'s own `errors`, whose `errorCode` is an HTTP status.
pub(super) fn refused(what: &'static str, payload: &Value) -> ProbeError {
    let error = &payload["errors"][0];
    let status = error["errorCode"].as_u64().and_then(|code| u16::try_from(code).ok());
    ProbeError::Refused { what, status, reason: net::said(error) }
}

fn unanswered(what: &'static str, status: u16, answer: &Value) -> ProbeError {
    ProbeError::Refused { what, status: Some(status), reason: net::said(answer) }
}

fn copy(fields: &Value, event: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (graphql, contract) in names {
        if !fields[*graphql].is_null() {
            event.insert((*contract).to_owned(), fields[*graphql].clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a subscription selects; what an event does not have is null.
    const FIELDS: [&str; 14] = [
        "sessionId",
        "owner",
        "type",
        "seq",
        "text",
        "model",
        "stopReason",
        "inputTokens",
        "outputTokens",
        "firstTokenMs",
        "totalMs",
        "code",
        "message",
        "retryable",
    ];

    #[test]
    fn graphql_fields_become_the_contracts_events() {
        for case in golden::events() {
            let Some(Value::Object(published)) = case.graphql else { continue };
            let mut fields = Map::from_iter(FIELDS.map(|name| (name.to_owned(), Value::Null)));
            fields.extend(published);
            fields.insert("sessionId".to_owned(), case.json["stream_id"].clone());
            fields.insert("owner".to_owned(), json!("ann"));
            let payload = json!({"data": {"onTokenReceived": fields}});
            assert_eq!(contract(&payload).expect("an event"), case.json, "{}", case.name);
        }
        assert!(contract(&json!({"data": {"onTokenReceived": null}})).is_err());
        assert!(contract(&json!({"data": null, "errors": [{"message": "m"}]})).is_err());
    }

    #[test]
    fn the_mutations_answer_is_a_start_a_refusal_or_an_error() {
        let request = Request { stream_id: "s".into(), body: json!({}) };
        let check = |status, answer: Value| match refusal(status, &answer, &request) {
            Ok(None) => json!("started"),
            Ok(Some(received)) => received.event,
            Err(error) => json!(error.to_string()),
        };
        assert_eq!(check(200, json!({"data": {"startStream": {"sessionId": "s"}}})), "started");
        let error = |info: Value| json!([{"errorType": "conflict", "message": "m", "errorInfo": info}]);
        let event = |retryable: bool| json!({"type": "error", "stream_id": "s", "code": "conflict", "message": "m", "retryable": retryable});
        assert_eq!(check(200, json!({"errors": error(json!({"retryable": true}))})), event(true));
        assert_eq!(check(401, json!({"data": null, "errors": error(Value::Null)})), event(false));
        assert_eq!(
            check(200, json!({"data": {"startStream": {"sessionId": "t"}}})),
            "mutation refused (HTTP 200): no reason given"
        );
        assert_eq!(check(503, json!({"message": "busy"})), "mutation refused (HTTP 503): busy");
    }
}
