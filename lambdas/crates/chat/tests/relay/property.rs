use chat::{Ending, ErrorCode, ModelErrorKind, StopReason};
use fastrand::Rng;

use crate::doubles::*;

const ALPHABET: [&str; 12] =
    ["a", "b", " ", "\n", "\"", "\\", "\u{1}", "\u{7f}", "\u{e9}", "\u{6f22}", "\u{1f600}", "\u{301}"];

enum End {
    Done,
    Fail,
    Truncate,
}

#[tokio::test(start_paused = true)]
async fn whatever_the_chunks_and_delays_the_text_arrives_whole_and_in_order() {
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        let whole: String = (0..rng.usize(0..400)).map(|_| ALPHABET[rng.usize(..ALPHABET.len())]).collect();
        let (end, expected) = match rng.u8(0..4) {
            0 => (End::Fail, Err(ErrorCode::ModelUnavailable)),
            1 => (End::Truncate, Err(ErrorCode::Truncated)),
            _ => (End::Done, Ok(StopReason::EndTurn)),
        };
        let script = script(&mut rng, &whole, &end);
        let (max_delta_bytes, flush) = (rng.usize(6..200), rng.u64(0..4) * 40);
        let slowest = rng.u64(1..200);
        let take = |_| Take::After(ms(rng.u64(0..slowest)));
        let played = play_with(script, take, |limits| {
            limits.max_delta_bytes = max_delta_bytes;
            limits.flush_interval = ms(flush);
        })
        .await;

        assert_eq!(played.text(), whole, "seed {seed}");
        for (_, delta) in played.deltas() {
            let bytes = serde_json::to_string(delta).unwrap().len() - 2;
            assert!(bytes <= max_delta_bytes, "seed {seed}: {bytes} bytes of {max_delta_bytes}");
        }
        match (expected, &played.outcome.ending) {
            (Ok(expected), Ending::Done(reason)) => assert_eq!(*reason, expected, "seed {seed}"),
            (Err(expected), Ending::Failed(code, _)) => assert_eq!(*code, expected, "seed {seed}"),
            (_, other) => panic!("seed {seed}: {other:?}"),
        }
    }
}

/// The text in random pieces with random pauses.
fn script(rng: &mut Rng, whole: &str, end: &End) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest: Vec<_> = whole.chars().collect();
    while !rest.is_empty() {
        let piece: String = rest.drain(..rng.usize(1..=rest.len().min(20))).collect();
        if rng.bool() {
            steps.push(Step::Wait(ms(rng.u64(0..80))));
        }
        steps.push(text(piece));
    }
    match end {
        End::Done => steps.extend([stop(), usage()]),
        End::Fail => steps.push(Step::Fail(ModelErrorKind::Unavailable)),
        End::Truncate => {}
    }
    steps
}
