//! What Linux says of a process.

use std::{fs, time::Duration};

use anyhow::Context as _;

/// Processor time so far, and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    pub cpu: Duration,
    pub resident_mb: f64,
    /// The most it has ever been.
    pub peak_mb: f64,
}

/// The unit of times in `/proc/<pid>/stat`: `USER_HZ`, which is 100 on every CPU that Lambda has.
const TICK: Duration = Duration::from_millis(10);

pub fn usage(pid: u32) -> anyhow::Result<Usage> {
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/{pid}/{name}")).with_context(|| format!("process {pid} is gone"))
    };
    let (status, stat) = (read("status")?, read("stat")?);
    Ok(Usage {
        // To the nanosecond, of the threads that there are; to 10 ms, with those that have ended.
        cpu: of_threads(pid).unwrap_or_default().max(of_stat(&stat).context("/proc/<pid>/stat")?),
        resident_mb: megabytes(&status, "VmRSS:").context("VmRSS")?,
        peak_mb: megabytes(&status, "VmHWM:").context("VmHWM")?,
    })
}

fn of_threads(pid: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let nanoseconds = threads.filter_map(|thread| {
        let schedstat = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        schedstat.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanoseconds.sum()))
}

/// User and system time, of the process and of the children that it has waited for (proc(5), fields 14 to 17).
fn of_stat(stat: &str) -> Option<Duration> {
    // The second field is a name in parentheses, which may hold anything.
    let (_, from_third) = stat.rsplit_once(')')?;
    let ticks: u32 =
        from_third.split_whitespace().skip(11).take(4).map(|ticks| ticks.parse().unwrap_or(0)).sum();
    Some(TICK * ticks)
}

fn megabytes(status: &str, name: &str) -> Option<f64> {
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = kilobytes.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_process_are_read_behind_its_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 7 5 2 1 20 0 1 0 100 1000 10";
        assert_eq!(of_stat(stat), Some(Duration::from_millis(150)));
    }

    #[test]
    fn what_this_process_has_used_grows() {
        let before = usage(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while usage(std::process::id()).unwrap().cpu < before.cpu + Duration::from_millis(20) {
            sum = (0..100_000).fold(sum, |sum, at| std::hint::black_box(sum ^ at));
        }
        assert!(before.resident_mb > 0.1 && before.peak_mb >= before.resident_mb, "{before:?}");
    }
}
