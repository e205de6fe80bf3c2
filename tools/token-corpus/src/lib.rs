//! Access tokens, good and bad, and what a verifier must say to each.
//!
//! One corpus for whoever judges tokens: `auth`'s verifier, case by case, and the front doors of the three
//! architectures, by a sample. Where the right verdict is debatable, a token that two parsers could read differently
//! is a bad one. The decisions:
//!
//! - Base64url is strict (RFC 7515, section 2): no padding, no white space, no bits set that stand for nothing.
//! - A member of the header or a claim that comes twice spoils the token, whether anybody reads it or not: RFC 7519,
//!   section 4, leaves parsers a choice, and a choice is two readings. Names are compared after their escapes, at every
//!   depth.
//! - Text is Unicode, numbers fit a double, and nothing nests deeper than readers follow, also where nobody reads.
//! - Times are whole seconds, although RFC 7519 allows fractions: a user pool writes none, and readers round
//!   differently. `iat` decides nothing, but must be a time if it is there.
//! - `typ` (RFC 7515, section 4.1.9) may be absent, as a user pool leaves it, or say JWT, at+jwt (RFC 9068) or JOSE, in
//!   any case and with or without `application/`. A token that says it is of another kind is taken at its word
//!   (RFC 8725, section 3.11).
//! - What changes how a token is read (`crit`, `b64`, `cty`, `enc`, `zip`), or brings or names a key (`jwk`, `jku`, `x5c`,
//!   `x5u`), spoils it by being there, were it `null`. Other members that nobody knows are ignored (RFC 7515, section 4),
//!   and so are `x5t` and `x5t#S256`: a thumbprint is neither a key nor a place to get one.

#![forbid(unsafe_code)]

mod families;
mod key;
mod mint;
mod pool;

pub use key::{KeyPair, PublicKey, Scheme, SigningKey, Unsigned};
pub use mint::{clock_skew, corpus};
pub use pool::{Pool, unix_now, with};

/// A token and the verdict that it must get.
#[derive(Debug, Clone)]
pub struct Case {
    pub family: &'static str,
    /// What is special about it; unique in its family.
    pub name: String,
    pub token: String,
    /// `accepted`; `refused`, for whatever reason; or the reason, as `auth::AuthError` names it. A case that is refused
    /// for another reason than its own proves nothing.
    pub expected: &'static str,
}

impl Case {
    pub fn is_good(&self) -> bool {
        self.expected == "accepted"
    }

    /// Whether `verdict`, `accepted` or a reason, is the right one.
    pub fn allows(&self, verdict: &str) -> bool {
        self.expected == verdict || (self.expected == "refused" && verdict != "accepted")
    }
}

/// All cases, in the order of their families.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub cases: Vec<Case>,
    /// Cases that this pool's key could not sign.
    pub left_out: usize,
}

impl Corpus {
    /// In the order of the cases, each once.
    pub fn families(&self) -> Vec<&'static str> {
        let mut families: Vec<_> = self.cases.iter().map(|case| case.family).collect();
        families.dedup();
        families
    }

    pub fn of(&self, family: &str) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| case.family == family)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_every_family_has_several() {
        let corpus = corpus(&Pool::example(KeyPair::generate()));
        assert!(corpus.cases.len() >= 600, "{} cases", corpus.cases.len());
        assert_eq!(corpus.left_out, 0, "a whole key signs everything");
        let names: HashSet<_> = corpus.cases.iter().map(|case| (case.family, &case.name)).collect();
        assert_eq!(names.len(), corpus.cases.len());
        let families: HashSet<_> = corpus.families().into_iter().collect();
        assert_eq!(families.len(), corpus.families().len(), "a family's cases are together");
        for family in families {
            assert!(corpus.of(family).count() >= 5, "{family}");
        }
    }

    #[test]
    fn no_token_has_two_verdicts() {
        let corpus = corpus(&Pool::example(KeyPair::generate()));
        let good: HashSet<_> =
            corpus.cases.iter().filter(|case| case.is_good()).map(|case| &case.token).collect();
        let bad = corpus.cases.iter().filter(|case| !case.is_good());
        for case in bad {
            assert!(!good.contains(&case.token), "{}: {}", case.family, case.name);
        }
    }
}
