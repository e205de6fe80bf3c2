//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use probe::{Architecture, Settings};

/// Streams a model's answer over the three architectures and measures them.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status: 0 if every answer was complete, 1 if not, 2 for a wrong command line."
)]
// Each is a flag of the command line, independent of the others.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Options {
    /// What to ask; read from standard input if it is left out
    pub(crate) prompt: Option<String>,
    /// Which way to go; all are those that have a URL in the settings
    #[arg(long, value_enum, default_value_t = Via::All)]
    pub(crate) via: Via,
    /// Run the architectures at once instead of one after the other
    #[arg(long)]
    pub(crate) race: bool,
    /// The frontend's settings [default: frontend/.env.local if it exists, else frontend/.env]
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// [default where sign-in is local: testuser]
    #[arg(long, env = "PROBE_USER")]
    pub(crate) user: Option<String>,
    /// [default where sign-in is local: the test user's]
    #[arg(long, env = "PROBE_PASSWORD", hide_env_values = true)]
    pub(crate) password: Option<String>,
    /// Use this access token and do not sign in
    #[arg(long, env = "PROBE_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// The longest answer wanted
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u32>,
    /// Instructions for the model
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Ask for the end of the answer after so long, and print what came until it did
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) stop_after: Option<Duration>,
    /// Follow the rest of an answer that was asked for before, over any of the architectures
    #[arg(long, value_name = "STREAM_ID", conflicts_with_all = ["prompt", "max_tokens", "system"])]
    pub(crate) resume: Option<String>,
    /// Only what comes after the event with this number [default: from the beginning]
    #[arg(long, value_name = "SEQ", requires = "resume")]
    pub(crate) after: Option<u64>,
    /// Print one JSON document with the numbers, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Put the answers' texts into the JSON document
    #[arg(long, requires = "json")]
    pub(crate) json_text: bool,
    /// How long each wait may last
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Print only the table
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    FunctionUrl,
    WebsocketApi,
    Appsync,
    All,
}

impl Via {
    /// A deployment may leave architectures out. One that is named is wanted, and fails if it is not there.
    pub(crate) fn architectures(self, settings: &Settings) -> Result<Vec<Architecture>, String> {
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

const NOT_CONFIGURED: &str = "no architecture is configured: run `make local`, or set VITE_FUNCTION_URL, \
    VITE_WEBSOCKET_URL or VITE_GRAPHQL_URL in frontend/.env or the environment";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "seconds, from 0 to 86400".to_owned())
}
