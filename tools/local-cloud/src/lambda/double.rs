//! The function of the tests: the example `echo_bootstrap`, and how to wait for what it does.

use std::{
    path::PathBuf,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::{FunctionConfig, Lambda, OnDisconnect};

/// The double as a function.
pub(crate) fn echo(name: &str) -> FunctionConfig {
    FunctionConfig {
        name: name.to_owned(),
        bootstrap: bootstrap(),
        environment: vec![],
        timeout: Duration::from_secs(20),
        memory_mb: 128,
        concurrency: 1,
        on_disconnect: OnDisconnect::Drain,
    }
}

/// `cargo test <filter>` builds no examples, so it is built here, once: at no cost if it is there already.
fn bootstrap() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let tests = std::env::current_exe().expect("a test has an executable");
        let target = tests.ancestors().nth(3).expect("<target>/debug/deps/<test>");
        let mut cargo = Command::new(env!("CARGO"));
        // What cargo tells a test about its package would make build scripts run again, here and outside.
        for (name, _) in std::env::vars_os() {
            if name
                .to_str()
                .is_some_and(|it| it.starts_with("CARGO_PKG_") || it.starts_with("CARGO_MANIFEST_"))
            {
                cargo.env_remove(name);
            }
        }
        let built = cargo
            .args(["build", "--quiet", "--package", "local-cloud", "--example", "echo_bootstrap"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.is_ok_and(|status| status.success()), "echo_bootstrap does not build");
        target.join("debug/examples/echo_bootstrap")
    });
    BUILT.clone()
}

/// Polls, because a process writes when it likes.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < give_up, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn logged(lambda: &Lambda, text: &str) -> usize {
    lambda.logs().iter().filter(|(_, line)| line.contains(text)).count()
}
