//! Who runs: our function, our function with the stream log, or a peer.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use local_cloud::wiring;
use probe::Architecture;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Without the stream log, which no peer has.
    Ours,
    /// As it is deployed by default.
    Logged,
    Peer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contestant {
    pub architecture: Architecture,
    pub side: Side,
}

/// Where things are built.
#[derive(Debug, Clone)]
pub struct Places {
    pub repository: PathBuf,
    /// Our functions.
    pub bootstraps: PathBuf,
    /// Their zips.
    pub zips: PathBuf,
    /// What `scripts/benchmark-peers.sh` makes.
    pub bench: PathBuf,
}

impl Contestant {
    pub fn new(architecture: Architecture, side: Side) -> Self {
        Self { architecture, side }
    }

    /// The function that answers, whose process is measured.
    pub fn function(self) -> &'static str {
        match self.architecture {
            Architecture::FunctionUrl => wiring::FUNCTION_URL,
            Architecture::WebsocketApi => wiring::STREAM,
            Architecture::Appsync => wiring::WORKER,
        }
    }

    pub fn label(self) -> &'static str {
        label(self.architecture.name(), self.side)
    }

    /// A folder with all functions, in which a peer stands in for ours.
    pub fn bootstraps(self, places: &Places) -> anyhow::Result<PathBuf> {
        match self.side {
            Side::Ours | Side::Logged => Ok(places.bootstraps.clone()),
            Side::Peer => {
                let peer = places.bench.join("peers").join(peer(self.architecture)).join(self.function());
                shadow(places, self, &peer).with_context(|| format!("{}", peer.display()))
            }
        }
    }
}

/// What a row of this architecture and side is called.
pub fn label(architecture: &str, side: Side) -> &'static str {
    match (side, architecture) {
        (Side::Ours, _) => "ours",
        (Side::Logged, _) => "ours, with the log",
        (Side::Peer, "websocket-api") => "Python",
        (Side::Peer, "appsync") => "the sample's worker",
        (Side::Peer, _) => "Node.js",
    }
}

/// The name of its folder and its zip.
pub fn peer(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::FunctionUrl => "nodejs-function-url",
        Architecture::WebsocketApi => "python-websocket-api-stream",
        Architecture::Appsync => "nodejs-appsync-worker",
    }
}

fn shadow(places: &Places, contestant: Contestant, peer: &Path) -> anyhow::Result<PathBuf> {
    anyhow::ensure!(peer.is_file(), "it has not been built: run scripts/benchmark-peers.sh");
    let folder = places.bench.join("stages").join(contestant.function());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for function in wiring::FUNCTIONS {
        let ours = places.bootstraps.join(function.name);
        let original = if function.name == contestant.function() { peer } else { &ours };
        symlink(
            original.canonicalize().with_context(|| original.display().to_string())?,
            folder.join(function.name),
        )?;
    }
    Ok(folder)
}
