//! Where the families put their cases.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{
    Case, Corpus, KeyPair, Pool, Scheme, Unsigned, families,
    pool::{Stranger, with},
};

/// Generating a key takes the most time of all.
static STRANGER: LazyLock<Stranger> = LazyLock::new(|| Stranger(KeyPair::generate()));

/// Every case, made for this pool and this moment: the verdicts hold for ten minutes.
pub fn corpus(pool: &Pool) -> Corpus {
    let mut mint = Mint::of(pool);
    for (family, add) in families::ALL {
        mint.family = family;
        add(&mut mint);
    }
    Corpus { cases: mint.cases, left_out: mint.left_out }
}

/// Tokens at the edge of the 5 s that clocks may differ by. The verdicts are those of the second `now` (Unix seconds), so
/// these are no part of [`corpus`].
pub fn clock_skew(pool: &Pool, now: u64) -> Vec<Case> {
    let mut mint = Mint::of(pool);
    mint.family = "clock skew";
    for (name, offset, expected) in [
        ("exp", -1, "accepted"),
        ("exp", -4, "accepted"),
        ("exp", -5, "accepted"),
        ("exp", -6, "Expired"),
        ("exp", -7, "Expired"),
        ("exp", -30, "Expired"),
        ("exp", -60, "Expired"),
        ("nbf", 1, "accepted"),
        ("nbf", 4, "accepted"),
        ("nbf", 5, "accepted"),
        ("nbf", 6, "NotYetValid"),
        ("nbf", 7, "NotYetValid"),
        ("nbf", 30, "NotYetValid"),
        ("nbf", 60, "NotYetValid"),
    ] {
        let change = json!({ name: now.checked_add_signed(offset) });
        mint.claims(format!("{name} {offset:+} s"), change, expected);
    }
    mint.cases
}

pub(crate) struct Mint<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) stranger: &'static Stranger,
    /// A good token, to be spoiled.
    pub(crate) good: String,
    family: &'static str,
    cases: Vec<Case>,
    left_out: usize,
}

impl<'a> Mint<'a> {
    fn of(pool: &'a Pool) -> Self {
        let good = pool.good_token();
        Self { pool, stranger: &STRANGER, good, family: "", cases: Vec::new(), left_out: 0 }
    }

    /// Any text.
    pub(crate) fn token(
        &mut self,
        name: impl Into<String>,
        token: impl Into<String>,
        expected: &'static str,
    ) {
        let case = Case { family: self.family, name: name.into(), token: token.into(), expected };
        self.cases.push(case);
    }

    /// A text that the pool may be unable to sign.
    pub(crate) fn if_signed(
        &mut self,
        name: impl Into<String>,
        token: Result<String, Unsigned>,
        expected: &'static str,
    ) {
        match token {
            Ok(token) => self.token(name, token, expected),
            Err(Unsigned) => self.left_out += 1,
        }
    }

    /// Any two parts, in base64url, signed by the pool.
    pub(crate) fn parts(
        &mut self,
        name: impl Into<String>,
        header: impl AsRef<[u8]>,
        claims: impl AsRef<[u8]>,
        expected: &'static str,
    ) {
        self.if_signed(name, self.pool.token(header, claims), expected);
    }

    /// Any message, as it is, signed by the pool.
    pub(crate) fn message(&mut self, name: impl Into<String>, message: &str, expected: &'static str) {
        self.if_signed(name, self.pool.signed(Scheme::Rs256, message), expected);
    }

    /// A good token with another header, signed by the pool; null leaves a member out.
    pub(crate) fn header(&mut self, name: impl Into<String>, changes: Value, expected: &'static str) {
        let header = with(self.pool.header(), changes);
        self.parts(name, header.to_string(), self.pool.claims().to_string(), expected);
    }

    /// A good token with another header, as text, signed by the pool.
    pub(crate) fn header_text(
        &mut self,
        name: impl Into<String>,
        header: impl AsRef<[u8]>,
        expected: &'static str,
    ) {
        self.parts(name, header, self.pool.claims().to_string(), expected);
    }

    /// A good token with other claims, signed by the pool; null leaves a claim out.
    pub(crate) fn claims(&mut self, name: impl Into<String>, changes: Value, expected: &'static str) {
        let claims = with(self.pool.claims(), changes);
        self.parts(name, self.pool.header().to_string(), claims.to_string(), expected);
    }

    /// A good token with other claims, as text, signed by the pool.
    pub(crate) fn claims_text(
        &mut self,
        name: impl Into<String>,
        claims: impl AsRef<[u8]>,
        expected: &'static str,
    ) {
        self.parts(name, self.pool.header().to_string(), claims, expected);
    }

    /// The three parts of the good token.
    pub(crate) fn good_parts(&self) -> [String; 3] {
        let parts: Vec<_> = self.good.split('.').map(str::to_owned).collect();
        parts.try_into().expect("a token has three parts")
    }
}
