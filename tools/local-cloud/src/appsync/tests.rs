//! The deployed schema and resolvers behind fake sign-in, IAM and Lambda.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{fault::Fault, *};
use crate::{
    lambda::InvokeError,
    sigv4::{Denied, Principal},
};

mod graphql;
mod realtime;
mod resolvers;

const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../terraform/modules/appsync");
const WORKER: &str = "AWS4-HMAC-SHA256 worker";
const PUBLISH: &str =
    "mutation P($event: StreamEventInput!) { publishToken(event: $event) { sessionId owner seq } }";

/// What the fake function answers, and the payloads that it was given.
#[derive(Clone)]
struct FakeLambda {
    answer: Result<&'static str, InvokeError>,
    payloads: Arc<Mutex<Vec<Value>>>,
}

fn lambda(answer: Result<&'static str, InvokeError>) -> FakeLambda {
    FakeLambda { answer, payloads: Arc::default() }
}

fn deployed() -> ApiSchema {
    let module = Path::new(MODULE);
    ApiSchema::load(&module.join("schema.graphql"), &module.join("resolvers")).expect("the deployed files")
}

fn api(lambda: &FakeLambda) -> AppSync {
    let FakeLambda { answer, payloads } = lambda.clone();
    let invoke: Invoke = Arc::new(move |payload| {
        payloads.lock().expect("no poison").push(serde_json::from_slice(&payload).expect("JSON"));
        let answer = answer.clone().map(|text| Bytes::from_static(text.as_bytes()));
        Box::pin(async move { answer })
    });
    AppSync::assemble(deployed(), Box::new(FakeAuthority), invoke, Faults::default())
}

fn event(session: &str, owner: &str, seq: u32) -> Value {
    json!({ "sessionId": session, "owner": owner, "type": "DELTA", "seq": seq, "text": "Hel" })
}

/// A request with this Authorization header.
async fn ask(app: &AppSync, authorization: &str, body: Value) -> (StatusCode, Value) {
    let mut request = SignedRequest {
        method: http::Method::POST,
        uri: http::Uri::from_static("/graphql"),
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_string()),
    };
    if !authorization.is_empty() {
        request.headers.insert(header::AUTHORIZATION, authorization.parse().expect("a header value"));
    }
    app.api.answer(request).await
}

async fn publish(app: &AppSync, query: &str, event: &Value) -> Value {
    let (status, body) = ask(app, WORKER, json!({ "query": query, "variables": { "event": event } })).await;
    assert_eq!(status, StatusCode::OK);
    body
}

/// Knows `access-<sub>` and `id-<sub>` as tokens; signers named in place of a signature.
struct FakeAuthority;

impl Authority for FakeAuthority {
    fn cognito(&self, token: &str) -> Option<Map<String, Value>> {
        let (token_use, sub) = token.split_once('-')?;
        let claims = json!({
            "sub": sub, "iss": "https://issuer", "token_use": token_use, "client_id": "client",
            "exp": 2_000_000_000, "username": sub, "jti": "not for the function",
        });
        matches!(token_use, "access" | "id").then(|| claims.as_object().expect("an object").clone())
    }

    fn iam(&self, request: &SignedRequest, action: &str) -> Result<Principal, Denied> {
        let denied = |code| Err(Denied { code, message: "no".to_owned() });
        match request.headers[header::AUTHORIZATION].to_str().expect("text") {
            WORKER if action == "appsync:GraphQL:Mutation.publishToken" => {
                Ok(Principal { name: "appsync-worker".to_owned() })
            }
            WORKER | "AWS4-HMAC-SHA256 stranger" => denied("AccessDeniedException"),
            _ => denied("InvalidSignatureException"),
        }
    }
}
