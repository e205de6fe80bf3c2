//! How text becomes deltas that a transport can carry.

use chat::StreamEvent;

use crate::doubles::*;

/// The bytes that a text takes inside a JSON string, by the library that writes it.
fn json_bytes(text: &str) -> usize {
    serde_json::to_string(text).unwrap().len() - 2
}

async fn check(name: &str, whole: &str, max: usize) {
    let played =
        play_with([text(whole), stop(), usage()], AT_ONCE, |limits| limits.max_delta_bytes = max).await;
    assert_eq!(played.text(), whole, "{name}: nothing is lost");
    let deltas = played.deltas();
    for (_, delta) in &deltas {
        assert!(!delta.is_empty(), "{name}: an empty delta");
        assert!(json_bytes(delta) <= max, "{name}: {} bytes of {max}", json_bytes(delta));
    }
    // As few as can be: each but the last has no room for the character behind it.
    for pair in deltas.windows(2) {
        let next = pair[1].1.chars().next().unwrap();
        assert!(json_bytes(pair[0].1) + json_bytes(&next.to_string()) > max, "{name}: cut too early");
    }
}

#[tokio::test(start_paused = true)]
async fn long_text_is_cut_on_character_boundaries_within_its_size_in_json() {
    for (name, unit, reason) in [
        ("ASCII", "abcdefg", "one byte each"),
        ("quotes", "\"", "two bytes each, escaped"),
        ("backslashes", "\\", "two bytes each, escaped"),
        ("line breaks", "a\r\n\t", "short escapes"),
        ("short control characters", "\u{8}\u{c}", "short escapes that are easily forgotten"),
        ("control characters", "\u{1}\u{1f}", "six bytes each"),
        ("NUL", "\0", "six bytes"),
        ("DEL", "\u{7f}", "not escaped"),
        ("accents", "\u{e9}", "two bytes, not cut in the middle"),
        ("CJK", "\u{6f22}", "three bytes"),
        ("emoji", "\u{1f600}", "four bytes"),
        ("a family", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "joined characters may part, bytes not"),
        ("line separators", "\u{2028}\u{2029}", "not escaped by serde_json"),
        ("a mixture", "a\"\u{1}\u{e9}\u{6f22}\u{1f600}\\\n", "every width"),
    ] {
        let whole = unit.repeat(500);
        for max in [6, 7, 8, 9, 13, 64, 1000, 100_000] {
            check(&format!("{name} ({reason}), at most {max}"), &whole, max).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_kilobytes_in_one_token_become_messages_of_32() {
    let whole = "\u{1f600}x\"".repeat(200 * 1024 / 7);
    check("a 200 KB delta", &whole, 31 * 1024).await;
}

#[tokio::test(start_paused = true)]
async fn a_budget_below_one_character_still_makes_progress() {
    let limits = |limits: &mut chat::Limits| limits.max_delta_bytes = 1;
    let played = play_with([text("\u{1f600}\u{1}a"), stop()], AT_ONCE, limits).await;
    let deltas: Vec<_> = played.deltas().into_iter().map(|(_, text)| text).collect();
    assert_eq!(deltas, ["\u{1f600}", "\u{1}", "a"]);
}

#[tokio::test(start_paused = true)]
async fn the_pieces_of_one_text_leave_in_one_call() {
    let limits = |limits: &mut chat::Limits| limits.max_delta_bytes = 2;
    let played =
        play_with([Step::Wait(ms(1)), text("abcdef"), Step::Wait(ms(1)), stop()], AT_ONCE, limits).await;
    assert_eq!(played.calls[1].events.len(), 3);
    assert!(played.calls[1].events.iter().all(|event| matches!(event, StreamEvent::Delta { .. })));
}
