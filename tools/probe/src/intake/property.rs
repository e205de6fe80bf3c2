//! Any order of arrival, within the window and beyond it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use fastrand::Rng;
use serde_json::json;

use super::{Intake, REORDER_EVENTS};
use crate::{Architecture, Received};

/// Stands for an event without a number.
const PING: i64 = -1;

#[test]
fn any_order_within_the_window_is_put_right_and_a_number_that_never_comes_is_a_gap() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let (architecture, window) = match rng.u8(0..4) {
            0 => (Architecture::WebsocketApi, 0),
            _ => (Architecture::Appsync, rng.usize(..=REORDER_EVENTS)),
        };
        let last = rng.i64(2..60);
        let mut arriving = shuffled(last, window, &mut rng);
        let text = |end: i64| (1..end).map(text_of).collect::<String>();
        let told = follow(architecture, last, &arriving);
        assert_eq!(told, (text(last), None), "seed {seed}: {arriving:?}");

        let missing = rng.i64(0..last);
        arriving.retain(|&seq| seq != missing);
        let (told, failure) = follow(architecture, last, &arriving);
        assert_eq!(told, text(missing), "seed {seed}: without {missing} {arriving:?}");
        let gap = format!("gap: expected {missing}, got ");
        assert!(failure.as_ref().is_some_and(|said| said.starts_with(&gap)), "seed {seed}: {failure:?}");
    }
}

/// The order in which the numbers up to `last` arrive when at most `window` of them overtake another, with
/// repetitions and pings between.
fn shuffled(last: i64, window: usize, rng: &mut Rng) -> Vec<i64> {
    let (mut left, mut arriving): (Vec<i64>, Vec<i64>) = ((0..=last).collect(), Vec::new());
    while let Some(&next) = left.first() {
        let early = arriving.iter().filter(|&&seq| seq > next).collect::<BTreeSet<_>>().len();
        let place = if early < window { rng.usize(..left.len()) } else { 0 };
        arriving.push(left.remove(place));
        match rng.u8(0..8) {
            // Nothing new may follow the last.
            0 if !left.is_empty() => arriving.push(PING),
            1 if !left.is_empty() => arriving.push(arriving[rng.usize(..arriving.len())]),
            _ => {}
        }
    }
    arriving
}

fn text_of(seq: i64) -> String {
    format!("{seq},")
}

/// What is told in order, until the stream's end or the first complaint.
fn follow(architecture: Architecture, last: i64, seqs: &[i64]) -> (String, Option<String>) {
    let mut told = String::new();
    let mut intake = Intake::new(architecture, None, Duration::from_secs(9), |received: &Received| {
        told.push_str(received.text());
    });
    let event = |seq: i64| match seq {
        PING => json!({"type": "ping"}),
        0 => json!({"type": "start", "seq": 0}),
        _ if seq == last => json!({"type": "done", "seq": seq}),
        _ => json!({"type": "delta", "seq": seq, "text": text_of(seq)}),
    };
    let mut arriving = seqs.iter().map(|&seq| Received { at: Instant::now(), event: event(seq), bytes: 1 });
    let result = arriving.try_for_each(|received| intake.take(received));
    let result = if result.is_ok() && !intake.ended() { Err(intake.closed()) } else { result };
    let failure = intake.finish(result).failure;
    (told, failure)
}
