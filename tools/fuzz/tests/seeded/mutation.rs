use fastrand::Rng;

/// A little more than the largest request.
const MAX_BYTES: usize = 66 * 1024;

/// What parsers trip over.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\t",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xf0\x9f\x98\x80",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"0",
    b"-1",
    b"1.0",
    b"1e999",
    b"18446744073709551616",
    b"data: ",
    b"id: 7",
    b": ",
    b".",
    b"=",
    b"==",
];

/// Some seed with one to eight changes.
pub(crate) fn mutated(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(1..=8) {
        change(&mut bytes, seeds, rng);
        bytes.truncate(MAX_BYTES);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let (from, to) = range(bytes.len(), rng);
    match rng.u8(0..10) {
        0 if from < to => bytes[from] ^= 1 << rng.u8(0..8),
        1 if from < to => bytes[from] = rng.u8(..),
        2 => bytes.truncate(to),
        3 => drop(bytes.drain(from..to)),
        4 => insert(bytes, from, bytes[from..to].to_vec()),
        // Beyond a limit, now and then.
        5 if from < to && rng.u8(0..32) == 0 => {
            let times = rng.usize(..=MAX_BYTES / (to - from));
            insert(bytes, from, bytes[from..to].repeat(times));
        }
        6 => {
            let other = &seeds[rng.usize(..seeds.len())];
            let (begin, end) = range(other.len(), rng);
            insert(bytes, from, other[begin..end].to_vec());
        }
        7 => {
            let word = WORDS[rng.usize(..WORDS.len())];
            bytes.splice(from..to, word.iter().copied());
        }
        _ => insert(bytes, from, WORDS[rng.usize(..WORDS.len())].to_vec()),
    }
}

/// A part of so many bytes, mostly a short one.
fn range(length: usize, rng: &mut Rng) -> (usize, usize) {
    let from = rng.usize(..=length);
    let longest = if rng.bool() { 8 } else { length };
    (from, (from + rng.usize(..=longest)).min(length))
}

fn insert(bytes: &mut Vec<u8>, at: usize, more: Vec<u8>) {
    bytes.splice(at..at, more);
}
