//! What became of the corpus, family by family.

use std::fmt;

use serde_json::{Value, json};
use token_corpus::Case;

#[derive(Default)]
pub(crate) struct Report {
    families: Vec<Family>,
}

#[derive(Default)]
struct Family {
    name: &'static str,
    accepted: usize,
    rejected: usize,
    /// Cases that got another verdict than theirs.
    wrong: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, case: &Case, verdict: &str) {
        if self.families.last().is_none_or(|family| family.name != case.family) {
            self.families.push(Family { name: case.family, ..Family::default() });
        }
        let family = self.families.last_mut().expect("one was put there if need be");
        if verdict == "accepted" {
            family.accepted += 1;
        } else {
            family.rejected += 1;
        }
        if !case.allows(verdict) {
            family.wrong.push(format!("{}: {}: {verdict}, not {}", case.family, case.name, case.expected));
        }
    }

    pub(crate) fn families(&self) -> usize {
        self.families.len()
    }

    pub(crate) fn cases(&self) -> usize {
        self.families.iter().map(Family::cases).sum()
    }

    pub(crate) fn assert_no_wrong(&self) {
        let wrong: Vec<_> = self.families.iter().flat_map(|family| family.wrong.clone()).collect();
        assert!(wrong.is_empty(), "{} wrong verdicts:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// For whoever documents the verdicts: `TOKEN_CORPUS_REPORT` is the file that becomes
    /// `[{"family", "cases", "accepted", "rejected", "wrong"}]`, all but the name counts.
    pub(crate) fn write_where_asked(&self) {
        if let Ok(path) = std::env::var("TOKEN_CORPUS_REPORT") {
            let rows: Vec<_> = self.families.iter().map(Family::row).collect();
            let text = serde_json::to_string_pretty(&rows).expect("rows are JSON") + "\n";
            std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}

impl Family {
    fn cases(&self) -> usize {
        self.accepted + self.rejected
    }

    fn row(&self) -> Value {
        json!({
            "family": self.name, "cases": self.cases(), "accepted": self.accepted, "rejected": self.rejected,
            "wrong": self.wrong.len(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name, [cases, accepted, rejected, wrong]: [usize; 4]| {
            writeln!(f, "{name:<30} {cases:>6} {accepted:>9} {rejected:>9} {wrong:>6}")
        };
        writeln!(f, "{:<30} {:>6} {:>9} {:>9} {:>6}", "family", "cases", "accepted", "rejected", "wrong")?;
        let mut total = [0; 4];
        for family in &self.families {
            let counts = [family.cases(), family.accepted, family.rejected, family.wrong.len()];
            row(f, family.name, counts)?;
            total = std::array::from_fn(|at| total[at] + counts[at]);
        }
        row(f, "all", total)
    }
}
