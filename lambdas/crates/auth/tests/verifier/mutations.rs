//! Good tokens, spoiled at random. Only a token that is still one of the good ones, to the letter, may pass: base64url
//! is strict, so what decodes to the same bytes is the same text.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};
use token_corpus::{unix_now, with};

use crate::pool::*;

const CASES: usize = 20_000;
/// Each is signed, which takes a millisecond.
const SIGNED_CASES: usize = 3_000;
/// Any number does; a fixed one makes a failure come back.
const SEED: u64 = 7;

/// What tokens are made of, and what they are not.
const LETTERS: &[u8] = b"ABCabc019-_.....=+/ \n\0\"{}%,\xff\xc3";

fn good_tokens() -> Vec<String> {
    let claims = |changes| with(POOL.claims(), changes).to_string();
    [
        claims(json!({})),
        claims(json!({"sub": "somebody-else"})),
        claims(json!({"cognito:groups": ["a", "b"], "nbf": 1})),
        claims(json!({"custom": "x".repeat(3000)})),
    ]
    .into_iter()
    .flat_map(|claims| {
        [POOL.header(), with(POOL.header(), json!({"typ": "JWT"}))]
            .map(|header| POOL.token(header.to_string(), &claims).unwrap())
    })
    .collect()
}

fn mutate(rng: &mut Rng, good: &[String]) -> String {
    let mut bytes = rng.choice(good).expect("some").clone().into_bytes();
    spoil(rng, &mut bytes, good);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn spoil(rng: &mut Rng, bytes: &mut Vec<u8>, good: &[String]) {
    for _ in 0..rng.usize(1..=3) {
        let at = rng.usize(..bytes.len());
        match rng.u8(..8) {
            0 => bytes[at] ^= 1 << rng.u8(..8),
            1 => bytes[at] = *rng.choice(LETTERS).expect("some"),
            2 => bytes.insert(at, *rng.choice(LETTERS).expect("some")),
            3 => drop(bytes.remove(at)),
            4 => drop(bytes.drain(at..bytes.len().min(at + rng.usize(1..20)))),
            5 => {
                let again = bytes[at..bytes.len().min(at + rng.usize(1..20))].to_vec();
                bytes.splice(at..at, again);
            }
            6 => {
                let with = rng.usize(..bytes.len());
                bytes.swap(at, with);
            }
            _ => {
                let other = rng.choice(good).expect("some").as_bytes();
                *bytes = splice(rng, bytes, other);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
}

/// The beginning of one and the end of another: at the same place, at any place, or part by part.
fn splice(rng: &mut Rng, one: &[u8], other: &[u8]) -> Vec<u8> {
    match rng.u8(..3) {
        0 => {
            let at = rng.usize(..one.len().min(other.len()));
            [&one[..at], &other[at..]].concat()
        }
        1 => [&one[..rng.usize(..one.len())], &other[rng.usize(..other.len())..]].concat(),
        _ => {
            let [one, other] =
                [one, other].map(|token| token.split(|byte| *byte == b'.').collect::<Vec<_>>());
            let pick = |at: usize, rng: &mut Rng| {
                let from = if rng.bool() { &one } else { &other };
                from.get(at).copied().unwrap_or_default()
            };
            [pick(0, rng), pick(1, rng), pick(2, rng)].join(&b'.')
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_spoiled_token_passes_only_if_it_is_a_good_one_again() {
    let (pool, good, mut rng) = (FakePool::new(), good_tokens(), Rng::with_seed(SEED));
    let verifier = pool.verifier();
    for token in &good {
        assert_eq!(verdict(&verifier.verify(token).await), "accepted");
    }
    let mut verdicts = BTreeMap::<String, usize>::new();
    for case in 0..CASES {
        let token = mutate(&mut rng, &good);
        let verdict = verdict(&verifier.verify(&token).await);
        assert_eq!(verdict == "accepted", good.contains(&token), "case {case}: {verdict}: {token:?}");
        *verdicts.entry(verdict).or_default() += 1;
    }
    // Every step of the verifier has been reached, or the mutations are too coarse to prove anything.
    for verdict in ["accepted", "Malformed", "UnknownKey", "WrongSignature"] {
        assert!(verdicts.contains_key(verdict), "{verdict}: {verdicts:?}");
    }
    assert_eq!(pool.fetches(), 1);
}

/// What an attacker cannot do: the rules for claims hold for whatever the pool's key has signed.
#[tokio::test(start_paused = true)]
async fn spoiled_claims_pass_only_if_whatever_decides_is_as_it_was() {
    let (pool, mut rng) = (FakePool::new(), Rng::with_seed(SEED));
    let verifier = pool.verifier();
    let claims = with(POOL.claims(), json!({"scope": null, "event_id": null, "jti": null, "nbf": 1}));
    let texts = [claims.to_string(), with(claims.clone(), json!({"sub": "somebody-else"})).to_string()];
    let (mut accepted, mut refused) = (0, 0);
    for case in 0..SIGNED_CASES {
        let mut bytes = rng.choice(&texts).expect("some").clone().into_bytes();
        spoil(&mut rng, &mut bytes, &texts);
        let token = POOL.token(POOL.header().to_string(), &bytes).unwrap();
        let Ok(caller) = verifier.verify(&token).await else {
            refused += 1;
            continue;
        };
        accepted += 1;
        let read: Value = serde_json::from_slice(&bytes).expect("only JSON is accepted");
        let text = String::from_utf8(bytes).expect("only UTF-8 is accepted");
        for decisive in ["iss", "client_id", "token_use"] {
            assert_eq!(read[decisive], claims[decisive], "case {case}: {text}");
        }
        assert_eq!(read["sub"], caller.sub(), "case {case}: {text}");
        assert_eq!(read["exp"].as_u64(), caller.expires_at(), "case {case}: {text}");
        assert!(caller.expires_at().unwrap() + 5 >= unix_now(), "case {case}: {text}");
    }
    assert!(accepted > 50 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[tokio::test(start_paused = true)]
async fn a_changed_character_anywhere_is_noticed() {
    let (pool, good) = (FakePool::new(), POOL.good_token());
    let verifier = pool.verifier();
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(bytes).unwrap();
        assert!(verifier.verify(&token).await.is_err(), "character {at}");
    }
}
