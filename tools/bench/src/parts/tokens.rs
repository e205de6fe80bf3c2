use std::time::{Duration, Instant};

use anyhow::Context as _;
use auth::{FetchJwks, JwksUnavailable, Settings, Verifier};
use http::Request;
use http_body_util::Full;
use probe::Architecture;
use serde::Deserialize;
use startup::{HttpClient, Url};
use tokio::process::Command;

use super::Effort;
use crate::{
    contestant::{Contestant, Places, Side},
    results::Verification,
    stage::{Setting, Stage},
    summary::{Summary, ms},
};

const COLD: usize = 20;
const LIMIT: Duration = Duration::from_secs(3);

/// Microseconds.
#[derive(Default, Deserialize)]
struct Times {
    cold: Vec<f64>,
    cached: Vec<f64>,
}

/// Our verifier in this process, and the peer's in one of its own: the libraries, not the functions around them.
pub(super) async fn measure(places: &Places, effort: Effort) -> anyhow::Result<Vec<Verification>> {
    let stage =
        Stage::open(Contestant::new(Architecture::FunctionUrl, Side::Ours), Setting::default(), places)
            .await?;
    let times = effort.times(2000, 50);
    let sides = [(Side::Ours, ours(&stage, times).await?), (Side::Peer, peer(&stage, places, times).await?)];
    stage.close().await;
    Ok(sides
        .into_iter()
        .map(|(side, Times { cold, cached })| Verification {
            side,
            cold_us: Summary::of(cold),
            cached_us: Summary::of(cached),
        })
        .collect())
}

async fn ours(stage: &Stage, times: usize) -> anyhow::Result<Times> {
    let settings = Settings {
        issuer: setting(stage, "COGNITO_ISSUER")?,
        client_id: setting(stage, "COGNITO_CLIENT_ID")?,
    };
    let url: Url = setting(stage, "COGNITO_JWKS_URL")?.parse()?;
    let verifier = || Verifier::new(settings.clone(), Jwks { client: HttpClient::new(), url: url.clone() });
    let mut all = Times::default();
    for _ in 0..COLD {
        all.cold.push(timed(&verifier(), stage.token()).await?);
    }
    let verifier = verifier();
    timed(&verifier, stage.token()).await?;
    for _ in 0..times {
        all.cached.push(timed(&verifier, stage.token()).await?);
    }
    Ok(all)
}

async fn timed(verifier: &Verifier<Jwks>, token: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    verifier.verify(token).await?;
    Ok(ms(began.elapsed()) * 1000.0)
}

async fn peer(stage: &Stage, places: &Places, times: usize) -> anyhow::Result<Times> {
    let mut command = Command::new("node");
    command.arg(places.bench.join("jwt.js")).args([stage.token(), &times.to_string()]);
    for name in ["COGNITO_ISSUER", "COGNITO_CLIENT_ID", "COGNITO_JWKS_URL"] {
        command.env(name, setting(stage, name)?);
    }
    let output = command.output().await.context("node")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("jwt.js: {}", String::from_utf8_lossy(&output.stderr)))
}

/// As the function has it.
fn setting(stage: &Stage, name: &str) -> anyhow::Result<String> {
    let config = stage.cloud.lambda.config(stage.contestant.function()).context("the function")?;
    let found = config.environment.into_iter().rev().find(|(key, _)| key == name);
    found.map(|(_, value)| value).with_context(|| name.to_owned())
}

/// The same client that the functions fetch with.
struct Jwks {
    client: HttpClient,
    url: Url,
}

impl FetchJwks for Jwks {
    async fn fetch(&self) -> Result<Vec<u8>, JwksUnavailable> {
        let answer = self.client.send(&self.url, Request::new(Full::default()), LIMIT).await;
        let (_, body) = answer.map_err(|error| JwksUnavailable(error.into()))?;
        Ok(body.into())
    }
}
