//! The request as the function sees it: payload format version 2.0.

use std::{net::IpAddr, time::SystemTime};

use axum::extract::Query;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderMap,
    header::{CONNECTION, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING, USER_AGENT},
    request::Parts,
};
use serde_json::{Map, Value, json};

use crate::lambda::clock;

pub(super) fn payload_v2(head: &Parts, body: &[u8], source: IpAddr, request_id: &str) -> Value {
    let now = SystemTime::now();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = head.uri.path();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": head.uri.query().unwrap_or_default(),
        "headers": headers(&head.headers, source),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": text(HOST),
            "domainPrefix": "local",
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", head.version),
                "sourceIp": source.to_string(),
                "userAgent": text(USER_AGENT),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": clock::request_time(now),
            "timeEpoch": clock::epoch_ms(now),
        },
        "isBase64Encoded": false,
    });
    let cookies: Vec<&str> = head.headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok()).collect();
    if !cookies.is_empty() {
        event["cookies"] = cookies.iter().flat_map(|it| it.split("; ")).collect();
    }
    if let Some(parameters) = query_parameters(head) {
        event["queryStringParameters"] = parameters.into();
    }
    if !body.is_empty() {
        let text = std::str::from_utf8(body).ok().filter(|_| is_text(text(CONTENT_TYPE)));
        event["isBase64Encoded"] = text.is_none().into();
        event["body"] = text.map_or_else(|| BASE64_STANDARD.encode(body), str::to_owned).into();
    }
    event
}

/// Lower-case names; several values of one name are joined by commas; cookies have their own member.
fn headers(headers: &HeaderMap, source: IpAddr) -> Map<String, Value> {
    let mut joined: Map<String, Value> = headers
        .keys()
        .filter(|name| ![CONNECTION, COOKIE, TRANSFER_ENCODING].contains(name))
        .map(|name| {
            let values: Vec<_> =
                headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            (name.as_str().to_owned(), values.join(",").into())
        })
        .collect();
    // What a client claims about its address is not what the function may see.
    joined.insert("x-forwarded-for".to_owned(), source.to_string().into());
    joined.insert("x-forwarded-proto".to_owned(), "https".into());
    joined
}

fn query_parameters(head: &Parts) -> Option<Map<String, Value>> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&head.uri).ok()?;
    let mut parameters = Map::new();
    for (name, value) in pairs {
        let joined = match parameters.get(&name).and_then(Value::as_str) {
            Some(earlier) => format!("{earlier},{value}"),
            None => value,
        };
        parameters.insert(name, joined.into());
    }
    (!parameters.is_empty()).then_some(parameters)
}

fn is_text(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || ["application/json", "application/xml", "application/javascript"].contains(&media_type.as_str())
}
