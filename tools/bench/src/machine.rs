//! What it was measured on.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gb: f64,
    pub kernel: String,
    pub versions: BTreeMap<String, String>,
}

impl Machine {
    /// `bench` is where the peers are built.
    pub fn here(repository: &Path, bench: &Path) -> anyhow::Result<Self> {
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let python = bench.join("python/bin/python3");
        let mut versions = BTreeMap::new();
        for (name, command) in
            [("rustc", "rustc"), ("Node.js", "node"), ("Python", &python.to_string_lossy())]
        {
            versions.insert(name.to_owned(), version(command)?);
        }
        let peers = repository.join("benchmarks/peers");
        versions.extend(npm_versions(&fs::read_to_string(peers.join("nodejs/package.json"))?)?);
        versions.extend(pip_versions(&fs::read_to_string(peers.join("python/requirements.txt"))?));
        Ok(Self {
            cpu: cpu.map_or("unknown", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gb: (memory_kb("MemTotal:")? / 1024.0 / 1024.0).round(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            versions,
        })
    }
}

/// How many processes have wanted to run, over a minute.
pub fn load_average() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("/proc/loadavg: this needs Linux")?;
    text.split(' ').next().and_then(|load| load.parse().ok()).context("/proc/loadavg")
}

pub fn free_memory_mb() -> anyhow::Result<f64> {
    Ok(memory_kb("MemAvailable:")? / 1024.0)
}

/// In UTC.
pub fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

fn memory_kb(name: &str) -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    line.and_then(|kilobytes| kilobytes.parse().ok()).with_context(|| format!("{name} in /proc/meminfo"))
}

fn version(command: &str) -> anyhow::Result<String> {
    let output = Command::new(command).arg("--version").output().with_context(|| command.to_owned())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .split_whitespace()
        .find(|word| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()));
    Ok(version.unwrap_or("unknown").trim_start_matches('v').to_owned())
}

fn npm_versions(package: &str) -> anyhow::Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Package {
        dev_dependencies: BTreeMap<String, String>,
    }
    let Package { dev_dependencies } = serde_json::from_str(package).context("package.json of the peers")?;
    let named = ["@aws-sdk/client-bedrock-runtime", "aws-jwt-verify"];
    Ok(dev_dependencies.into_iter().filter(|(name, _)| named.contains(&name.as_str())).collect())
}

fn pip_versions(requirements: &str) -> Option<(String, String)> {
    let line = requirements.lines().find_map(|line| line.strip_prefix("boto3=="))?;
    Some(("boto3".to_owned(), line.to_owned()))
}
