//! What this function sends, against the golden files of `protocol/`.

mod streams;

use std::collections::{BTreeMap, BTreeSet};

use auth::{Caller, FetchJwks, JwksUnavailable, Verifier};
use bytes::Bytes;
use chat::{Cancellation, ChatRequest, ErrorCode, Model, ModelError, ModelErrorKind, RequestLimits, Tuning};
use golden::Refused;
use http::StatusCode;
use serde_json::{Value, json};
use stream_log::{DynamoDb, StreamLog};
use tokio::time::{Duration, Instant};

use crate::{
    Admitted, Function, Invocation,
    format::Format,
    protocol::streams::Script,
    refusal::{Refusal, status_of},
    request,
};

const FORMATS: [Format; 3] = [Format::EventStream, Format::Ndjson, Format::Text];

fn extension(format: Format) -> &'static str {
    match format {
        Format::EventStream => "sse",
        Format::Ndjson => "ndjson",
        Format::Text => "txt",
    }
}

#[test]
fn every_code_has_the_golden_status() {
    let golden: Vec<_> = golden::errors().into_iter().map(|case| (case.code, case.http_status)).collect();
    assert_eq!(golden, ErrorCode::ALL.map(|code| (code.to_string(), status_of(code).as_u16())));
}

#[test]
fn accept_chooses_the_golden_format() {
    let mut shown = BTreeSet::new();
    for case in golden::formats() {
        let event = event("POST", "/", &[("accept", case.accept.as_deref())], "");
        let format = Format::accepted_by(&request::read(&event).unwrap());
        let head = format.head();
        assert_eq!(head.status_code, StatusCode::OK, "{:?}", case.accept);
        assert_eq!(head.headers["content-type"], case.content_type, "{:?}", case.accept);
        assert_eq!(extension(format), case.extension, "{:?}", case.accept);
        shown.insert(case.extension);
    }
    assert_eq!(shown, FORMATS.map(|format| extension(format).to_owned()).into());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_the_golden_responses() {
    for case in golden::refused() {
        let refusal = refuse(&case).await;
        let head = refusal.head();
        let headers: BTreeMap<_, _> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let golden = case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        assert_eq!((head.status_code.as_u16(), headers), (case.status, golden.collect()), "{}", case.name);
        assert_eq!(serde_json::from_slice::<Value>(&refusal.body()).unwrap(), case.body, "{}", case.name);
    }
}

async fn refuse(case: &Refused) -> Refusal {
    let verifier = auth::Settings { issuer: "issuer".to_owned(), client_id: "client".to_owned() };
    let function = Function {
        verifier: Verifier::new(verifier, Unreachable),
        log: StreamLog::<DynamoDb>::off(),
        model: Refusing(case.model.as_deref().map(model_failure)),
        model_id: "model".into(),
        request_limits: RequestLimits { max_output_tokens: golden::requests().limits.max_output_tokens },
        tuning: Tuning::default(),
        ledger: startup::Ledger::new("function-url".to_owned()),
    };
    let limits = function.tuning.limits(Instant::now(), Duration::from_mins(5));
    let authorization = match case.token.as_str() {
        "invalid" => Some("Bearer invalid"),
        "signed" => Some(SIGNED),
        "missing" | "valid" => None,
        other => panic!("{}: a token that is {other}", case.name),
    };
    let headers = [("authorization", authorization), ("content-type", case.request.content_type.as_deref())];
    let payload = event(&case.request.method, &case.request.path, &headers, &case.request.body);
    let admitted = if case.token == "valid" {
        // What a token proves is the matter of `auth`; here somebody is vouched for.
        let caller = Caller::from_queued_owner("ann".to_owned()).unwrap();
        let http = request::read(&payload).unwrap();
        let route = request::route(&http).unwrap();
        function.admit_caller(caller, &http, route, &limits).await
    } else {
        let invocation = Invocation { request_id: "id".to_owned(), deadline_ms: 0, payload };
        function.admit(&invocation, &limits).await
    };
    match admitted {
        Err(refusal) => refusal,
        Ok(Admitted::Claimed(_, request, ..)) => {
            let opened = chat::open(&function.model, &request, &limits, &Cancellation::never()).await;
            let error = opened.err().unwrap_or_else(|| panic!("{} is not refused", case.name));
            Refusal::model(error, request.stream_id)
        }
        Ok(Admitted::Recorded(..) | Admitted::Cancelled) => panic!("{} is not refused", case.name),
    }
}

/// `{"alg":"RS256","kid":"k"}` and something behind it: good or not, the key `k` would tell.
const SIGNED: &str = "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.c2ln";

struct Unreachable;

impl FetchJwks for Unreachable {
    async fn fetch(&self) -> Result<Vec<u8>, JwksUnavailable> {
        Err(JwksUnavailable("down".into()))
    }
}

struct Refusing(Option<ModelErrorKind>);

impl Model for Refusing {
    type Answer = Script;

    async fn open(&self, _: &ChatRequest) -> Result<Script, ModelError> {
        Err(ModelError::new(self.0.expect("a request that is refused before"), "an internal cause"))
    }
}

fn model_failure(name: &str) -> ModelErrorKind {
    match name {
        "throttled" => ModelErrorKind::Throttled,
        "unavailable" => ModelErrorKind::Unavailable,
        "rejected" => ModelErrorKind::Rejected,
        "garbled" => ModelErrorKind::Garbled,
        "timed_out" => ModelErrorKind::TimedOut,
        other => panic!("{other} is no failure of the model"),
    }
}

/// The event of a Function URL, as far as it is read.
fn event(method: &str, path: &str, headers: &[(&str, Option<&str>)], body: &str) -> Bytes {
    let headers: BTreeMap<_, _> =
        headers.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "queryStringParameters": parameters(query),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "url-id",
            "domainName": "url-id.lambda-url.us-east-1.on.aws",
            "domainPrefix": "url-id",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    });
    event.to_string().into()
}

fn parameters(query: &str) -> BTreeMap<&str, &str> {
    query.split('&').filter_map(|parameter| parameter.split_once('=')).collect()
}
