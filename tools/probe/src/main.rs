//! `probe`: streams an answer over one or all of the architectures, and prints it with its times.

mod options;

use std::{
    cell::Cell,
    convert::Infallible,
    future::pending,
    io::{IsTerminal, Read, Write},
    pin::pin,
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use futures_util::{
    FutureExt,
    future::{Either, join_all, select},
};
use probe::{
    Architecture, Outcome, ProbeError, Received, Request, Settings, Trace,
    report::{Report, table},
    resume, sign_in, stream_within,
};

use crate::options::{Options, Via};

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
    let prompt = if options.resume.is_some() { String::new() } else { prompt(options)? };
    let token = access_token(options, &settings).await?;
    let lane = |architecture| lane(options, &settings, &token, architecture, &prompt);
    let lanes = if options.race {
        join_all(architectures.iter().copied().map(lane)).await
    } else {
        let mut lanes = Vec::new();
        for architecture in architectures.iter().copied() {
            lanes.push(lane(architecture).await);
        }
        lanes
    };
    let reports: Vec<_> = lanes.iter().map(|lane| report(options, lane)).collect();
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

/// One architecture's answer.
struct Lane {
    architecture: Architecture,
    trace: Trace,
    /// When its end was asked for.
    stopped: Option<Instant>,
}

async fn lane(
    options: &Options,
    settings: &Settings,
    token: &str,
    architecture: Architecture,
    prompt: &str,
) -> Lane {
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
    let tell = |event: &Received| progress.tell(event);
    let following = match &options.resume {
        Some(id) => {
            resume(settings, architecture, token, id, options.after, options.timeout, tell).boxed_local()
        }
        None => stream_within(settings, architecture, token, &request, options.timeout, tell).boxed_local(),
    };
    let stream_id = options.resume.as_ref().unwrap_or(&request.stream_id);
    let stopped = Cell::new(None);
    let stopping = async {
        if let Some(after) = options.stop_after {
            tokio::time::sleep(after).await;
            stopped.set(Some(Instant::now()));
            if let Err(error) = probe::cancel(settings, architecture, token, stream_id).await {
                eprintln!("probe: {architecture} was not stopped: {error}");
            }
        }
        pending::<Infallible>().await
    };
    let trace = match select(following, pin!(stopping)).await {
        Either::Left((trace, _)) => trace,
        Either::Right((never, _)) => match never {},
    };
    if !silent && !options.race {
        print(if trace.text().is_empty() { "" } else { "\n\n" });
    }
    if trace.connected.is_some() && matches!(trace.outcome(), Outcome::Failed(_)) {
        let after = trace.ordered().last().and_then(|event| event.seq()).or(options.after);
        let after = after.map(|seq| format!(" --after {seq}")).unwrap_or_default();
        eprintln!("probe: for the rest: --via {architecture} --resume {stream_id}{after}");
    }
    Lane { architecture, trace, stopped: stopped.get() }
}

fn report(options: &Options, lane: &Lane) -> Report {
    let Lane { architecture, trace, stopped } = lane;
    let mut report = Report::new(*architecture, trace);
    if let Some(asked) = stopped {
        report = report.stopped_at(*asked, trace);
    }
    Report { text: options.json_text.then(|| trace.text()), ..report }
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
