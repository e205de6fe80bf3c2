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

/// What the processors have been up to since the machine started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    all: u64,
    /// In which the hypervisor let others run, although something here wanted to.
    stolen: u64,
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

impl Ticks {
    pub fn now() -> anyhow::Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("/proc/stat: this needs Linux")?;
        Self::of(&text).context("/proc/stat")
    }

    /// The share of the processors' time, from 0 to 1.
    pub fn stolen_since(self, before: Self) -> f64 {
        let all = self.all.saturating_sub(before.all).max(1);
        self.stolen.saturating_sub(before.stolen) as f64 / all as f64
    }

    /// `cpu`, then user, nice, system, idle, iowait, irq, softirq and steal (proc(5)). What guests took comes behind, and
    /// is in user and nice already.
    fn of(stat: &str) -> Option<Self> {
        let fields = stat.lines().find_map(|line| line.strip_prefix("cpu "))?.split_whitespace().take(8);
        let ticks: Vec<u64> = fields.map(|ticks| ticks.parse().ok()).collect::<Option<_>>()?;
        let ticks: [u64; 8] = ticks.try_into().ok()?;
        Some(Self { all: ticks.iter().sum(), stolen: ticks[7] })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_hypervisor_gave_to_others_is_a_share_of_all_time() {
        let ticks = |cpu: &str| Ticks::of(&format!("{cpu}\ncpu0 9 9 9 9 9 9 9 9 9 9\nintr 1\n"));
        let before = ticks("cpu  100 0 50 1000 5 0 5 40 70 0").unwrap();
        let after = ticks("cpu  150 0 60 1030 5 0 5 50 99 0").unwrap();
        assert_eq!(before, Ticks { all: 1200, stolen: 40 });
        assert!((after.stolen_since(before) - 0.1).abs() < 1e-9);
        assert!(after.stolen_since(after).abs() < 1e-9, "no time, nothing stolen");
        assert_eq!(ticks("cpu  1 2 3 4 5 6 7"), None, "a system that does not say");
    }

    #[test]
    fn this_machine_says_what_was_stolen() {
        assert!(Ticks::now().unwrap().all > 0);
    }
}
