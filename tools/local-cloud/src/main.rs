use std::{env, fs, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use local_cloud::{
    bedrock::Source,
    cloud::{Cloud, Options, test_user},
    lambda::OnDisconnect,
    wiring::{self, QUEUE},
};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: local-cloud [wiring]\n\
    settings: LOCAL_PORT (4500), BOOTSTRAPS (target/release), LLM_URL and LLM_MODEL, or BEDROCK_URL, LOCAL_FAULTS (off),\n\
    \x20         LOCAL_STREAM_LOG (on)";

#[tokio::main]
async fn main() -> ExitCode {
    match command().await {
        Ok(()) => ExitCode::SUCCESS,
        // One line: whoever starts this wants to know what to do, not where in the code it was.
        Err(problem) => {
            eprintln!("local-cloud: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

async fn command() -> anyhow::Result<()> {
    match env::args().nth(1).as_deref() {
        None => run().await,
        Some("wiring") => {
            println!("{}", wiring::to_json());
            Ok(())
        }
        Some(_) => bail!(USAGE),
    }
}

async fn run() -> anyhow::Result<()> {
    let repository = PathBuf::from(".");
    let source = source()?;
    let log_dir = repository.join(".local/logs");
    fs::create_dir_all(&log_dir).context("the folder of the logs")?;
    let cloud = Cloud::start(Options {
        base_port: Some(setting("LOCAL_PORT").map_or(Ok(4500), |port| port.parse()).context("LOCAL_PORT")?),
        bootstraps: setting("BOOTSTRAPS").map_or_else(|| repository.join("target/release"), PathBuf::from),
        log_dir: Some(log_dir),
        repository,
        source: source.clone(),
        users: vec![test_user()],
        environment: Vec::new(),
        on_disconnect: OnDisconnect::Drain,
        stream_timeout: None,
        batch_size: QUEUE.batch_size,
        maximum_concurrency: QUEUE.maximum_concurrency,
        stream_log: switch("LOCAL_STREAM_LOG", true)?,
        control: switch("LOCAL_FAULTS", false)?,
    })
    .await?;

    let env_file = "frontend/.env.local";
    let settings = cloud.frontend_env();
    fs::create_dir_all("frontend")?;
    fs::write(env_file, format!("# Written by `make local`\n{}", cloud.frontend_dotenv()))
        .context(env_file)?;

    let value = |name| settings.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str());
    println!("function-url   {}", value("VITE_FUNCTION_URL"));
    println!("websocket-api  {}", value("VITE_WEBSOCKET_URL"));
    println!("appsync        {}", value("VITE_GRAPHQL_URL"));
    println!(
        "sign-in        {}  {} / {}",
        value("VITE_USER_POOL_ENDPOINT"),
        test_user().username,
        test_user().password
    );
    println!("model          {}", describe(&source));
    if let Some(address) = cloud.control() {
        println!("faults         http://{address}/");
    }
    println!("settings       {env_file}");
    println!("logs           .local/logs/");
    println!("try            make probe PROMPT=\"Why is the sky blue?\"");
    // Whoever serves the client says where.
    if let Some(page) = setting("LOCAL_PAGE") {
        println!("page           {page}");
    }
    println!("ready");

    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    cloud.shutdown().await;
    Ok(())
}

fn source() -> anyhow::Result<Source> {
    Ok(match (setting("LLM_URL"), setting("BEDROCK_URL")) {
        (None, None) => Source::BuiltIn,
        (Some(url), None) => Source::OpenAi {
            url,
            model: setting("LLM_MODEL")
                .context("LLM_URL needs LLM_MODEL, the name of a model that the server has")?,
        },
        (None, Some(url)) => Source::Bedrock { url },
        (Some(_), Some(_)) => bail!("LLM_URL and BEDROCK_URL exclude each other"),
    })
}

fn switch(name: &str, default: bool) -> anyhow::Result<bool> {
    match setting(name).as_deref() {
        None => Ok(default),
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(_) => bail!("{name} is on or off"),
    }
}

fn describe(source: &Source) -> String {
    match source {
        Source::BuiltIn => {
            "built-in text, no model is asked (LLM_URL=... LLM_MODEL=... for a real one)".to_owned()
        }
        Source::OpenAi { url, model } => format!("{model} at {url}"),
        Source::Bedrock { url } => format!("Bedrock at {url}"),
    }
}

fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
