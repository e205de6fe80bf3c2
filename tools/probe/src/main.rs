//! `probe`: streams an answer over one or all of the architectures, and prints it with its times.

use std::{
    io::{IsTerminal, Read, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use futures_util::future::join_all;
use probe::{
    Architecture, ProbeError, Received, Request, Settings, Trace,
    report::{Report, table},
    sign_in, stream_within,
};

/// Streams a model's answer over the three architectures and measures them.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status: 0 if every answer was complete, 1 if not, 2 for a wrong command line."
)]
// Each is a flag of the command line, independent of the others.
#[allow(clippy::struct_excessive_bools)]
struct Options {
    /// What to ask; read from standard input if it is left out
    prompt: Option<String>,
    /// Which way to go; all are those that have a URL in the settings
    #[arg(long, value_enum, default_value_t = Via::All)]
    via: Via,
    /// Run the architectures at once instead of one after the other
    #[arg(long)]
    race: bool,
    /// The frontend's settings [default: frontend/.env.local if it exists, else frontend/.env]
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// [default where sign-in is local: testuser]
    #[arg(long, env = "PROBE_USER")]
    user: Option<String>,
    /// [default where sign-in is local: the test user's]
    #[arg(long, env = "PROBE_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Use this access token and do not sign in
    #[arg(long, env = "PROBE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The longest answer wanted
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// Instructions for the model
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Print one JSON document with the numbers, and nothing else
    #[arg(long)]
    json: bool,
    /// Put the answers' texts into the JSON document
    #[arg(long, requires = "json")]
    json_text: bool,
    /// How long each wait may last
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Print only the table
    #[arg(long)]
    quiet: bool,
}

const NOT_CONFIGURED: &str = "no architecture is configured: run `make local`, or set VITE_FUNCTION_URL, \
    VITE_WEBSOCKET_URL or VITE_GRAPHQL_URL in frontend/.env or the environment";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Via {
    FunctionUrl,
    WebsocketApi,
    Appsync,
    All,
}

impl Via {
    /// A deployment may leave architectures out. One that is named is wanted, and fails if it is not there.
    fn architectures(self, settings: &Settings) -> Result<Vec<Architecture>, String> {
        match self {
            Self::FunctionUrl => Ok(vec![Architecture::FunctionUrl]),
            Self::WebsocketApi => Ok(vec![Architecture::WebsocketApi]),
            Self::Appsync => Ok(vec![Architecture::Appsync]),
            Self::All => {
                let (there, missing): (Vec<_>, Vec<_>) =
                    Architecture::ALL.into_iter().partition(|architecture| settings.has(*architecture));
                if there.is_empty() {
                    return Err(NOT_CONFIGURED.to_owned());
                }
                for architecture in missing {
                    eprintln!("probe: {architecture} is left out: its URL is not set");
                }
                Ok(there)
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(complaint) => {
            eprintln!("probe: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every lane ended in `done`.
async fn run(options: &Options) -> Result<bool, String> {
    let settings = Settings::load(options.env_file.as_deref()).map_err(|error| error.to_string())?;
    let architectures = options.via.architectures(&settings)?;
    let prompt = prompt(options)?;
    let token = access_token(options, &settings).await?;
    let lane = |architecture| lane(options, &settings, &token, architecture, &prompt);
    let traces = if options.race {
        join_all(architectures.iter().copied().map(lane)).await
    } else {
        let mut traces = Vec::new();
        for architecture in architectures.iter().copied() {
            traces.push(lane(architecture).await);
        }
        traces
    };
    let reports: Vec<_> = architectures
        .iter()
        .zip(&traces)
        .map(|(&architecture, trace)| report(options, architecture, trace))
        .collect();
    let output = if options.json {
        serde_json::to_string_pretty(&serde_json::json!({ "results": reports }))
            .map_err(|error| error.to_string())?
    } else {
        table(&reports)
    };
    print(&output);
    if options.json {
        print("\n");
    }
    Ok(reports.iter().all(Report::is_done))
}

fn prompt(options: &Options) -> Result<String, String> {
    if let Some(prompt) = &options.prompt {
        return Ok(prompt.clone());
    }
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err("give a prompt, as an argument or on standard input".to_owned());
    }
    let mut prompt = String::new();
    stdin.read_to_string(&mut prompt).map_err(|error| format!("cannot read the prompt: {error}"))?;
    Ok(prompt)
}

/// The test user of `make local` is well known, so its password is a default there and nowhere else.
async fn access_token(options: &Options, settings: &Settings) -> Result<String, String> {
    if let Some(token) = &options.token {
        return Ok(token.clone());
    }
    let local = settings.signs_in_locally();
    let given = |value: &Option<String>, name: &str, default: &str| match value {
        Some(value) => Ok(value.clone()),
        None if local => Ok(default.to_owned()),
        None if settings.user_pool_endpoint.is_empty() => {
            Err(ProbeError::MissingSetting("VITE_AWS_REGION").to_string())
        }
        None => Err(format!("--{name} (or PROBE_{}) is needed to sign in", name.to_uppercase())),
    };
    let user = given(&options.user, "user", "testuser")?;
    let password = given(&options.password, "password", "TestPassword123!")?;
    sign_in(settings, &user, &password).await.map(|tokens| tokens.access).map_err(|error| error.to_string())
}

async fn lane(
    options: &Options,
    settings: &Settings,
    token: &str,
    architecture: Architecture,
    prompt: &str,
) -> Trace {
    let mut request = Request::prompt(prompt);
    if let Some(max_tokens) = options.max_tokens {
        request = request.with("max_tokens", max_tokens);
    }
    if let Some(system) = &options.system {
        request = request.with("system", system.as_str());
    }
    let silent = options.quiet || options.json;
    if !silent && !options.race && options.via == Via::All {
        eprintln!("-- {architecture}");
    }
    let mut progress = Progress { architecture, silent, race: options.race, told_token: false };
    let timeout = Duration::from_secs(options.timeout);
    let trace =
        stream_within(settings, architecture, token, &request, timeout, |event| progress.tell(event)).await;
    if !silent && !options.race {
        print(if trace.text().is_empty() { "" } else { "\n\n" });
    }
    trace
}

fn report(options: &Options, architecture: Architecture, trace: &Trace) -> Report {
    let text = options.json_text.then(|| trace.text());
    Report { text, ..Report::new(architecture, trace) }
}

/// What is seen while a lane runs: its text as it arrives, or in a race only how far it is.
struct Progress {
    architecture: Architecture,
    silent: bool,
    race: bool,
    told_token: bool,
}

impl Progress {
    fn tell(&mut self, received: &Received) {
        if self.silent {
            return;
        }
        if !self.race {
            return print(received.text());
        }
        if received.is_terminal() {
            eprintln!("{:<13}  ended", self.architecture);
        } else if !self.told_token && !received.text().is_empty() {
            self.told_token = true;
            eprintln!("{:<13}  first token", self.architecture);
        }
    }
}

/// Flushes, so that a token is seen when it arrives. A reader that has gone, as `head` does, is no reason to panic.
fn print(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
