//! The whole suite on random ports, with the built bootstraps, and `probe` as its client.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::{path::PathBuf, time::Duration};

use local_cloud::{
    bedrock::{Script, Source},
    cloud::{Cloud, Options, test_user},
    cognito::User,
    lambda::OnDisconnect,
    wiring::QUEUE,
};
use probe::{Architecture, Request, Settings, Trace};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Long enough for a busy machine, short enough for a person.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Stage {
    pub cloud: Cloud,
    pub settings: Settings,
    /// Of the test user.
    pub token: String,
}

impl Stage {
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut options = Options {
            base_port: None,
            bootstraps: repository.join("target/release"),
            repository,
            source: Source::BuiltIn,
            users: vec![test_user(), other_user()],
            log_dir: None,
            environment: uncapped(),
            on_disconnect: OnDisconnect::Drain,
            stream_timeout: None,
            batch_size: 1,
            maximum_concurrency: QUEUE.maximum_concurrency,
            stream_log: true,
            control: false,
        };
        change(&mut options);
        let cloud = Cloud::start(options).await.expect("the local cloud starts");
        let settings = Settings::from_sources(&cloud.frontend_dotenv(), |_| None);
        let token = sign_in(&settings, &test_user()).await;
        Self { cloud, settings, token }
    }

    pub async fn ask(&self, architecture: Architecture, prompt: &str) -> Trace {
        self.send(architecture, &Request::prompt(prompt)).await
    }

    pub async fn send(&self, architecture: Architecture, request: &Request) -> Trace {
        probe::stream_within(&self.settings, architecture, &self.token, request, PATIENCE * 2, |_| {}).await
    }

    /// The claims of a good access token, to be spoiled.
    pub fn claims(&self) -> Value {
        let claims = self.cloud.user_pool.verify(&self.token).expect("the test user's token is good");
        Value::Object(claims)
    }

    pub fn assert_one_call(&self) {
        assert_eq!(self.cloud.bedrock.calls().len(), 1, "exactly one call of the model");
    }

    pub async fn close(self) {
        self.cloud.shutdown().await;
    }
}

/// The caps of a user are for one person; a test is many.
pub fn uncapped() -> Vec<(String, String)> {
    let caps = ["MAX_STREAMS_PER_USER", "MAX_OUTPUT_TOKENS_PER_USER_PER_DAY"];
    caps.map(|name| (name.to_owned(), String::new())).into()
}

/// A client that goes away ends its answer at once: nobody is waited for.
pub fn impatient(options: &mut Options) {
    options.environment.push(("ABANDON_AFTER_SECONDS".to_owned(), "0".to_owned()));
}

pub fn other_user() -> User {
    User {
        username: "other".to_owned(),
        email: "other@example.com".to_owned(),
        password: "OtherPassword123!".to_owned(),
        sub: "7e57a5e2-0000-4000-8000-000000000002".to_owned(),
    }
}

pub async fn sign_in(settings: &Settings, user: &User) -> String {
    probe::sign_in(settings, &user.username, &user.password).await.expect("the user can sign in").access
}

/// So many tokens at a steady pace, ending well.
pub fn paced(tokens: &[&str], between_tokens: Duration) -> Script {
    Script {
        tokens: Some(tokens.iter().map(|&token| token.to_owned()).collect()),
        first_token_after: between_tokens,
        between_tokens,
        ..Script::default()
    }
}

/// Polls a condition that somebody else brings about.
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

/// The events in order, without what differs from one stream to the next.
pub fn comparable(trace: &Trace) -> Vec<Value> {
    let mut events = vec![json!({"type": "text", "text": trace.text()})];
    for received in trace.ordered() {
        let mut event = received.event.clone();
        let fields = event.as_object_mut().expect("an event is an object");
        for name in ["stream_id", "seq", "timing"] {
            fields.remove(name);
        }
        if fields["type"] != "delta" {
            events.push(event);
        }
    }
    events
}

/// What every stream owes (invariants of the contract): numbered from 0 without a gap, `start` first, exactly one
/// terminal event and it last, all of one stream.
pub fn check_contract(name: &str, request: &Request, trace: &Trace) {
    assert_eq!(trace.failure, None, "{name}");
    let ordered = trace.ordered();
    assert_eq!(trace.seqs(), (0..ordered.len() as u64).collect::<Vec<_>>(), "{name}: seq");
    assert_eq!(ordered[0].event["type"], "start", "{name}");
    let terminals = trace.received.iter().filter(|received| received.is_terminal()).count();
    assert_eq!(terminals, 1, "{name}: terminal events");
    assert!(
        trace.received.last().expect("events").is_terminal(),
        "{name}: the last event is the terminal one"
    );
    for received in &trace.received {
        assert_eq!(
            received.event["stream_id"],
            json!(request.stream_id),
            "{name}: {}",
            received.event["type"]
        );
    }
}
