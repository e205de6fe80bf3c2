//! A sample of the token corpus at every front door, over raw HTTP and through `probe`: who has a bad token gets nothing
//! and costs nothing, and the functions are none the worse for it.
//!
//! `auth` judges the whole corpus; here it is about what each transport makes of a token on its way to the verifier.

mod support;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{Json, Router, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use local_cloud::cognito::UserPool;
use probe::{Architecture, Outcome, Request, appsync};
use rsa::BigUint;
use serde_json::{Value, json};
use support::{PATIENCE, Stage, paced};
use token_corpus::{Case, Corpus, KeyPair, Pool, PublicKey, Scheme, SigningKey, Unsigned, corpus};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Of each family, evenly spread.
const SAMPLE: usize = 8;
/// What the verifier reads at most. A longer token may already be refused by HTTP.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Those that see a token or what AppSync has made of it.
const FUNCTIONS: [&str; 3] = ["function-url", "websocket-api-authorizer", "appsync-request"];

/// Where `AppSync`'s own check of a token is more generous than ours, or at least that of its stand-in is: the signature,
/// `iss` and `exp` are checked, the rest of a token that the pool has signed is not. Nobody but the pool can make these.
const LEFT_TO_APPSYNC: [&str; 5] =
    ["header brings a key", "header brings rules", "type", "nbf and iat", "sizes"];

#[tokio::test(flavor = "multi_thread")]
async fn no_bad_token_gets_in_anywhere_and_every_good_one_does() {
    let (jwks_url, keys) = jwks_endpoint().await;
    let stage =
        Stage::with(|options| options.environment.push(("COGNITO_JWKS_URL".to_owned(), jwks_url))).await;
    let user_pool = &stage.cloud.user_pool;
    let issuer = stage.claims()["iss"].as_str().expect("iss").to_owned();
    // The two that verify themselves know a key of ours as well, which signs whatever we like.
    let pool = Pool::new(&issuer, user_pool.client_id(), "corpus-key", KeyPair::generate());
    let mut published = user_pool.jwks()["keys"].as_array().expect("keys").clone();
    published.push(pool.jwk(&pool.kid));
    keys.set(json!({ "keys": published })).expect("set once");
    let ours = corpus(&pool);
    let theirs = corpus(&behind_appsync(user_pool, &issuer));
    for family in LEFT_TO_APPSYNC {
        let mut bad = theirs.of(family).filter(|case| !case.is_good());
        assert!(
            bad.any(|case| is_left_to_appsync(&stage, case)),
            "{family} is refused and need not be left out"
        );
    }

    stage.cloud.bedrock.script(paced(&["you"], Duration::from_millis(1)));
    for architecture in Architecture::ALL {
        answers(&stage, architecture, &stage.token).await;
    }
    let (asked, environments) = (stage.cloud.bedrock.calls().len(), environments(&stage));
    let (mut skipped, mut wrong) = (Vec::new(), Vec::new());
    for architecture in Architecture::ALL {
        let corpus = if architecture == Architecture::Appsync { &theirs } else { &ours };
        let is_left = |case: &Case| architecture == Architecture::Appsync && is_left_to_appsync(&stage, case);
        let bad = sample(corpus, |case| !case.is_good() && !is_left(case));
        assert!(bad.len() > 80, "{architecture}: {} cases", bad.len());
        let uncarried = bad.iter().filter(|case| !carries(architecture, &case.token)).count();
        for case in &bad {
            wrong.extend(let_in(&stage, architecture, case).await);
        }
        skipped.push(format!("{architecture}: {} bad tokens, {uncarried} not over raw HTTP", bad.len()));
    }
    println!("{skipped:#?}\nleft out, as AppSync's pool would not sign them: {}", theirs.left_out);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(stage.cloud.bedrock.calls().len(), asked, "the model was asked");
    assert!(stage.cloud.queues.messages("tristream-prompts").is_empty(), "something was queued");
    assert_eq!(environments, self::environments(&stage), "a function has died");

    for architecture in Architecture::ALL {
        answers(&stage, architecture, &stage.token).await;
        let corpus = if architecture == Architecture::Appsync { &theirs } else { &ours };
        for case in sample(corpus, Case::is_good) {
            answers(&stage, architecture, &case.token).await;
        }
    }
    let logs = stage.cloud.lambda.logs();
    for case in ours.cases.iter().chain(&theirs.cases).filter(|case| case.token.len() > 200) {
        let logged = logs.iter().any(|(_, line)| line.contains(&case.token[..200]));
        assert!(!logged, "a token is in the log: {}: {}", case.family, case.name);
    }
    stage.close().await;
}

/// A good token is answered, whatever happened before.
async fn answers(stage: &Stage, architecture: Architecture, token: &str) {
    let request = Request::prompt("Who is there?");
    let trace = probe::stream_within(&stage.settings, architecture, token, &request, PATIENCE, |_| {}).await;
    assert!(matches!(trace.outcome(), Outcome::Done { .. }), "{architecture}: {:?}", trace.failure);
}

/// What a bad token got that it should not have got.
async fn let_in(stage: &Stage, architecture: Architecture, case: &Case) -> Option<String> {
    let what = format!("{architecture}: {}: {}", case.family, case.name);
    let carried = carries(architecture, &case.token);
    if carried {
        let (status, body) = raw(stage, architecture, &case.token).await;
        let is_refusal = match architecture {
            Architecture::FunctionUrl => status == Some(401),
            Architecture::WebsocketApi => status == Some(403),
            Architecture::Appsync => status == Some(401) || body.contains("\"errors\""),
        };
        // Too long for a header: HTTP's own refusal, or a closed connection.
        let is_oversize =
            case.token.len() > MAX_TOKEN_BYTES && matches!(status, None | Some(400 | 413 | 431));
        if !is_refusal && !is_oversize {
            return Some(format!("{what}: {status:?} {body}"));
        }
    }
    // AppSync's realtime protocol has the token in JSON, which carries everything.
    if carried || architecture == Architecture::Appsync {
        let request = Request::prompt("let me in");
        let trace =
            probe::stream_within(&stage.settings, architecture, &case.token, &request, PATIENCE, |_| {})
                .await;
        if matches!(trace.outcome(), Outcome::Done { .. }) || !trace.text().is_empty() {
            return Some(format!("{what}: {:?}", trace.outcome()));
        }
    }
    None
}

/// Some cases of each family, the first and the last among them.
fn sample(corpus: &Corpus, of: impl Fn(&Case) -> bool) -> Vec<&Case> {
    let mut sample = Vec::new();
    for family in corpus.families() {
        let cases: Vec<_> = corpus.of(family).filter(|case| of(case)).collect();
        let few = cases.len().min(SAMPLE);
        sample.extend((0..few).map(|at| cases[at * (cases.len() - 1) / (few - 1).max(1)]));
    }
    sample
}

fn is_left_to_appsync(stage: &Stage, case: &Case) -> bool {
    LEFT_TO_APPSYNC.contains(&case.family) && stage.cloud.user_pool.verify(&case.token).is_some()
}

/// Whether HTTP delivers this text as it is: no control characters in a field, no white space around it (RFC 9110,
/// section 5.5). A comma separates subprotocols.
fn carries(architecture: Architecture, token: &str) -> bool {
    let is_a_value = token == token.trim() && !token.chars().any(char::is_control);
    is_a_value && !(architecture == Architecture::WebsocketApi && token.contains(','))
}

/// The request as bytes, so that no client has an opinion about the token. `None`: closed without an answer.
async fn raw(stage: &Stage, architecture: Architecture, token: &str) -> (Option<u16>, String) {
    let url = |name| {
        let found = stage.cloud.frontend_env().into_iter().find(|(key, _)| *key == name);
        let url = found.expect("a setting").1;
        let (address, path) = url.split_once("://").expect("a URL").1.split_once('/').expect("a path");
        (address.to_owned(), path.to_owned())
    };
    let post = |path: &str, authorization: &str, body: &str| {
        let length = body.len();
        format!(
            "POST /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let ((address, _), request) = match architecture {
        Architecture::FunctionUrl => {
            let at = url("VITE_FUNCTION_URL");
            let request = post(&at.1, &format!("Bearer {token}"), r#"{"prompt":"let me in"}"#);
            (at, request)
        }
        Architecture::WebsocketApi => {
            let at = url("VITE_WEBSOCKET_URL");
            let request = format!(
                "GET /{} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                 Sec-WebSocket-Protocol: llm-stream.v1, bearer.{token}\r\n\r\n",
                at.1
            );
            (at, request)
        }
        Architecture::Appsync => {
            let at = url("VITE_GRAPHQL_URL");
            let variables = appsync::variables(&Request::prompt("let me in"));
            let body = json!({"query": appsync::START_STREAM, "variables": variables}).to_string();
            let request = post(&at.1, token, &body);
            (at, request)
        }
    };
    timeout(PATIENCE, exchange(&address, &request)).await.expect("an answer in time")
}

async fn exchange(address: &str, request: &str) -> (Option<u16>, String) {
    let (mut reader, mut writer) = TcpStream::connect(address).await.expect("a connection").into_split();
    // A server that has read enough answers and closes while the rest is still on its way.
    let sending = async {
        let _ = writer.write_all(request.as_bytes()).await;
    };
    let receiving = async {
        let mut answer = Vec::new();
        let mut portion = [0; 4096];
        // Until the whole head of an answer is there, with a body of which the first portion will do.
        while let Ok(length @ 1..) = reader.read(&mut portion).await {
            answer.extend_from_slice(&portion[..length]);
            if is_whole(&answer) {
                break;
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    };
    let ((), answer) = tokio::join!(sending, receiving);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    (status, answer)
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.map_or(body.ends_with("0\r\n\r\n") || head.contains(" 101 "), |length| body.len() >= length)
}

fn environments(stage: &Stage) -> [Vec<u32>; 3] {
    FUNCTIONS.map(|function| stage.cloud.lambda.environments(function))
}

/// A JWKS document that is there once its keys are.
async fn jwks_endpoint() -> (String, Arc<OnceLock<Value>>) {
    let keys = Arc::new(OnceLock::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jwks.json", listener.local_addr().expect("an address"));
    let document = Arc::clone(&keys);
    let answer = get(async move || Json(document.get().cloned()));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/jwks.json", answer)).await });
    (url, keys)
}

/// `AppSync` asks the user pool itself, whose key signs JSON as `serde_json` writes it and nothing else.
struct BehindUserPool {
    user_pool: UserPool,
    public: PublicKey,
}

fn behind_appsync(user_pool: &UserPool, issuer: &str) -> Pool {
    let key = &user_pool.jwks()["keys"][0];
    let number = |name: &str| {
        let text = key[name].as_str().expect("a JWK of RSA");
        BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(text).expect("base64url"))
    };
    let public = PublicKey::new(number("n"), number("e")).expect("an RSA key");
    let kid = key["kid"].as_str().expect("a name");
    let key = BehindUserPool { user_pool: user_pool.clone(), public };
    Pool::new(issuer, user_pool.client_id(), kid, key)
}

impl SigningKey for BehindUserPool {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Unsigned> {
        let parts: Option<Vec<Value>> = message
            .split(|byte| *byte == b'.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok())
            .collect();
        let Some([header, claims]) = parts.as_deref().filter(|_| scheme == Scheme::Rs256) else {
            return Err(Unsigned);
        };
        let token = self.user_pool.sign_with(header, claims);
        let (signed, signature) = token.rsplit_once('.').expect("a token");
        if signed.as_bytes() != message {
            return Err(Unsigned);
        }
        URL_SAFE_NO_PAD.decode(signature).map_err(|_| Unsigned)
    }
}
