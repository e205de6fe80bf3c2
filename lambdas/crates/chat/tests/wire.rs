//! Sizes as JSON, against the library that writes it.

use chat::wire::{json_len, split_at_json_len};
use fastrand::Rng;

fn real_len(text: &str) -> usize {
    serde_json::to_string(text).unwrap().len() - 2
}

#[test]
fn json_len_is_what_serde_json_writes_for_every_character() {
    let astral = ['\u{fffd}', '\u{ffff}', '\u{10000}', '\u{1f600}', '\u{1f468}', '\u{10ffff}'];
    let others = ['\u{2028}', '\u{2029}', '\u{6f22}', '\u{d7ff}', '\u{e000}', '\u{feff}'];
    for character in ('\0'..='\u{800}').chain(others).chain(astral) {
        let text = character.to_string();
        assert_eq!(json_len(&text), real_len(&text), "{character:?}");
    }
}

#[test]
fn json_len_of_a_text_is_the_sum_of_its_characters() {
    let text: String = ('\0'..='\u{800}').collect();
    assert_eq!(json_len(&text), real_len(&text));
    assert_eq!(json_len(""), 0);
}

#[test]
fn a_split_is_the_longest_that_fits_and_never_empty() {
    let check = |text: &str, budget: usize, head: &str| {
        let (got, rest) = split_at_json_len(text, budget);
        assert_eq!(got, head, "{text:?} within {budget}");
        assert_eq!(format!("{got}{rest}"), text, "nothing is lost");
    };
    check("", 5, "");
    check("abc", 3, "abc");
    check("abc", 2, "ab");
    check("a\"b", 2, "a");
    check("a\"b", 3, "a\"");
    check("\u{1}a", 6, "\u{1}");
    check("a\u{1}", 6, "a");
    check("a\u{1f600}", 4, "a");
    check("a\u{1f600}", 5, "a\u{1f600}");
    check("\u{1f600}a", 1, "\u{1f600}");
    check("\u{1}\u{1}", 0, "\u{1}");
}

#[test]
fn cut_again_and_again_any_text_comes_whole_in_pieces_that_fit_and_could_not_be_longer() {
    let alphabet =
        ["a", "\"", "\\", "\n", "\u{1}", "\u{7f}", "\u{e9}", "\u{2028}", "\u{6f22}", "\u{1f600}", "\u{301}"];
    for seed in 0..2_000 {
        let mut rng = Rng::with_seed(seed);
        let text: String = (0..rng.usize(..60)).map(|_| alphabet[rng.usize(..alphabet.len())]).collect();
        // Less than a character takes, often: a cut that makes no progress would never end.
        let largest = if rng.bool() { 8 } else { 80 };
        let budget = rng.usize(..largest);
        let (mut joined, mut rest) = (String::new(), text.as_str());
        while !rest.is_empty() {
            let (piece, behind) = split_at_json_len(rest, budget);
            let first =
                piece.chars().next().unwrap_or_else(|| panic!("seed {seed}: nothing was cut off {rest:?}"));
            assert!(
                real_len(piece) <= budget || piece.len() == first.len_utf8(),
                "seed {seed}: {piece:?} is longer than {budget}"
            );
            if let Some(next) = behind.chars().next() {
                assert!(
                    real_len(&format!("{piece}{next}")) > budget,
                    "seed {seed}: {piece:?} leaves room for {next:?}"
                );
            }
            joined.push_str(piece);
            rest = behind;
        }
        assert_eq!(joined, text, "seed {seed}");
    }
}
