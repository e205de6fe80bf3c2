//! The corpus of tokens against the verifier: nothing let in wrongly, nothing refused wrongly, and no panic.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
    time::Duration,
};

use auth::Verifier;
use token_corpus::{Case, Corpus, clock_skew, corpus, unix_now};
use tokio::runtime::Runtime;

use crate::{pool::*, report::Report};

static CORPUS: LazyLock<Corpus> = LazyLock::new(|| corpus(&POOL));

/// The clock for keys stands still; the one for claims does not.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// A panic is a verdict that no case expects.
fn judge(runtime: &Runtime, verifier: &Verifier<FakePool>, case: &Case) -> String {
    let judging = || verdict(&runtime.block_on(verifier.verify(&case.token)));
    catch_unwind(AssertUnwindSafe(judging)).unwrap_or_else(|_| "panicked".to_owned())
}

#[test]
fn every_token_gets_its_verdict() {
    let (runtime, pool) = (runtime(), FakePool::new());
    let verifier = pool.verifier();
    let mut report = Report::default();
    for case in &CORPUS.cases {
        report.add(case, &judge(&runtime, &verifier, case));
    }
    for (case, verdict) in judged_in_its_second(&runtime, &verifier) {
        report.add(&case, &verdict);
    }
    println!("{report}");
    report.write_where_asked();
    report.assert_no_wrong();
    assert!(report.cases() >= 600 && report.families() >= 27, "{report}");
    assert_eq!(pool.fetches(), 1, "however many unknown keys came within the same second");
}

/// A limit is another one a second later: the whole family again, until the clock stood still meanwhile.
fn judged_in_its_second(runtime: &Runtime, verifier: &Verifier<FakePool>) -> Vec<(Case, String)> {
    loop {
        let now = unix_now();
        let judged = clock_skew(&POOL, now).into_iter().map(|case| {
            let verdict = judge(runtime, verifier, &case);
            (case, verdict)
        });
        let judged: Vec<_> = judged.collect();
        if unix_now() == now {
            return judged;
        }
    }
}

/// The first lookup of a key goes another way than the later ones.
#[test]
fn every_token_gets_the_same_verdict_from_a_verifier_that_has_no_keys_yet() {
    let runtime = runtime();
    for case in &CORPUS.cases {
        let pool = FakePool::new();
        let verdict = judge(&runtime, &pool.verifier(), case);
        assert!(case.allows(&verdict), "{}: {}: {verdict}", case.family, case.name);
        assert!(pool.fetches() <= 1, "{}: {}", case.family, case.name);
    }
}

#[test]
fn what_the_header_gives_away_costs_no_fetch() {
    let (runtime, pool) = (runtime(), FakePool::new());
    let verifier = pool.verifier();
    let reasons = ["TooLong", "WrongAlgorithm", "SuspiciousHeader"];
    let families = ["algorithm none", "algorithm mistyped", "header member twice", "type"];
    let given_away = CORPUS.cases.iter().filter(|case| {
        reasons.contains(&case.expected) || (families.contains(&case.family) && !case.is_good())
    });
    let mut judged = 0;
    for case in given_away {
        judge(&runtime, &verifier, case);
        assert_eq!(pool.fetches(), 0, "{}: {}", case.family, case.name);
        judged += 1;
    }
    assert!(judged > 200, "{judged}");
}

#[test]
fn with_the_keys_out_of_reach_nobody_is_let_in_and_nobody_good_is_called_a_liar() {
    let (runtime, pool) = (runtime(), FakePool::new());
    pool.goes_down();
    let verifier = pool.verifier();
    for case in &CORPUS.cases {
        let verdict = judge(&runtime, &verifier, case);
        let expected = if case.is_good() { verdict == "KeysUnavailable" } else { verdict != "accepted" };
        assert!(expected && verdict != "panicked", "{}: {}: {verdict}", case.family, case.name);
    }
    assert_eq!(pool.fetches(), 1);
}

#[test]
fn with_the_keys_known_and_the_pool_out_of_reach_only_unknown_keys_are_an_outage() {
    let (runtime, pool) = (runtime(), FakePool::new());
    let verifier = pool.verifier();
    runtime.block_on(verifier.verify(&POOL.good_token())).unwrap();
    pool.goes_down();
    runtime.block_on(tokio::time::advance(Duration::from_secs(10)));
    for case in &CORPUS.cases {
        let verdict = judge(&runtime, &verifier, case);
        let nobody_knows = verdict == "KeysUnavailable" && ["UnknownKey", "refused"].contains(&case.expected);
        assert!(case.allows(&verdict) || nobody_knows, "{}: {}: {verdict}", case.family, case.name);
    }
    assert_eq!(pool.fetches(), 2);
}

#[tokio::test]
async fn a_good_token_names_its_bearer() {
    let caller = FakePool::new().verifier().verify(&POOL.good_token()).await.unwrap();
    assert_eq!(caller.sub(), "11111111-2222-3333-4444-555555555555");
    assert!(caller.expires_at().unwrap() >= unix_now() + 3599);
}
