//! The short run: every fault that takes no more than seconds, and combinations of them.

use reliability::run::{self, Options};

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_breaks_what_must_hold() {
    let options = Options {
        seeds: 2,
        random: 200,
        unlogged: 1,
        slow: false,
        rows: Vec::new(),
        seed: None,
        concurrency: 24,
    };
    let report = run::run(&options).await.expect("the clouds start");
    let breaches: Vec<_> = report.breaches().collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    // A run in which nothing happened would find nothing, too.
    assert!(report.closed_after.len() > 10 && report.log_lines > 300, "{} lines", report.log_lines);
}
