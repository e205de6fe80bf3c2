//! The built-in text. It says what it is, depends on the prompt alone and remembers nothing.

use sha2::{Digest, Sha256};

/// How much of the prompt is quoted, in characters.
const EXCERPT: usize = 60;

/// Markdown with everything that a client has to render, and with characters of one to four bytes.
pub(super) fn answer(prompt: &str) -> String {
    let bytes = hash(prompt).to_le_bytes();
    let variant = |choices: [&'static str; 3], byte: usize| choices[usize::from(bytes[byte] % 3)];
    let (excerpt, heading) = (excerpt(prompt), variant(HEADINGS, 0));
    let (first, second, closing) = (variant(FIRST, 1), variant(SECOND, 2), variant(CLOSING, 3));
    let (list, code) = (variant(LISTS, 4), variant(CODE, 5));
    format!(
        "This is a local stand-in for Amazon Bedrock: no model was asked, and the text below is built in. You \
         wrote “{excerpt}”, and the same words bring the same answer.\n\n## {heading}\n\n{first}\n\n{list}\n\n\
         {second}\n\n{TABLE}\n\n{THIRD}\n\n{code}\n\n{closing}\n"
    )
}

/// Cuts a text as a model would: two to six characters each, mostly a space and the start of a word. The last
/// piece may be shorter.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut length = 0;
    for c in text.chars() {
        let full = length == 6 || (length >= 2 && (c == ' ' || c == '\n'));
        match pieces.last_mut() {
            Some(piece) if !full => piece.push(c),
            _ => {
                pieces.push(c.to_string());
                length = 0;
            }
        }
        length += 1;
    }
    pieces
}

/// The same on every machine and in every version.
pub(super) fn hash(prompt: &str) -> u64 {
    let digest = Sha256::digest(prompt);
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

const HEADINGS: [&str; 3] = ["What a stream looks like", "One answer, many pieces", "Words on their way"];

const FIRST: [&str; 3] = [
    "A model does not think in sentences. It picks one *token* after the other, and each one can leave as soon \
     as it is known. A reader starts after the first and not after the last.",
    "Every piece of this paragraph left on its own, as a frame with a checksum, a few milliseconds after the one \
     before it. **Nothing** was held back until the end.",
    "What you see growing here is a sequence of small events. Each has a number, so a gap is noticed, and exactly \
     one of them says that the answer is complete.",
];

const LISTS: [&str; 3] = [
    "- the first token decides how fast it feels\n- the gaps decide how smooth it looks\n- the last event says how it ended",
    "1. the browser asks\n2. a function checks who is asking\n3. the answer flows back, piece by piece",
    "- *start* names the model\n- *delta* carries the text\n- *done* counts the tokens",
];

const SECOND: [&str; 3] = [
    "Three ways lead from a function to a browser, and they differ in what they are good at:",
    "The same words can travel over three different roads:",
    "Which transport fits depends on what else has to happen on the way:",
];

const THIRD: &str = "None of them makes the model faster. They differ in what happens around the tokens: who may open a \
                     stream, how long it may last, who else may listen, and what is lost when a connection breaks. \
                     The loop that passes the pieces on is short in all three, and it looks much the same in every \
                     language:";

const TABLE: &str = "| way | protocol | strength |\n|---|---|---|\n| `function-url` | HTTP | simple |\n\
                     | `websocket-api` | WebSocket | both ways |\n| `appsync` | GraphQL | many readers |";

const CODE: [&str; 3] = [
    "```rust\nwhile let Some(event) = stream.next().await {\n    sink.send(&[event?]).await?;\n}\n```",
    "```js\nfor await (const event of stream) {\n  if (event.type === \"delta\") append(event.text);\n}\n```",
    "```sh\ncurl -N -H 'accept: text/plain' \\\n  -d '{\"prompt\":\"Hello\"}' \"$FUNCTION_URL\"\n```",
];

const CLOSING: [&str; 3] = [
    "Not every character is one byte: Grüße aus Zürich, naïve façade, 東京の夜, 안녕하세요, and a 🦀 with a 🚀.",
    "Some pieces are wider than others: Äpfel und Öl, déjà vu, 你好，世界, Привет, plus a 👩‍💻 and a 🎉.",
    "It has to survive being cut anywhere: Straße, smørrebrød, ありがとう, γειά σου, and a 🌍 or a 🇪🇺.",
];

/// One line without the characters that would break out of the quotation or become markup.
fn excerpt(prompt: &str) -> String {
    let line = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain: String = line.chars().filter(|c| !c.is_control() && !"`*_|<>[]#\\“”".contains(*c)).collect();
    let short: String = plain.chars().take(EXCERPT).collect();
    if short.len() < plain.len() { format!("{}…", short.trim_end()) } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_what_a_client_must_be_able_to_show() {
        let long = "Wie geht's? ".repeat(500);
        let prompts = ["", "Hi", "What is `SQS`?", "**x** | <script>", "日本語で", &long];
        let many = (0..200).map(|i| format!("Question {i}"));
        for prompt in prompts.iter().map(|prompt| (*prompt).to_owned()).chain(many) {
            let text = answer(&prompt);
            assert_eq!(text, answer(&prompt));
            let first = text.split_once(". ").unwrap().0;
            assert!(first.contains("local stand-in") && first.contains("no model was asked"));
            assert!(text.contains("\n## ") && text.contains("\n|---|") && text.contains("\n```\n"), "{text}");
            assert!(text.contains("\n- ") || text.contains("\n1. "));
            for bytes in [2, 3, 4] {
                assert!(text.chars().any(|c| c.len_utf8() == bytes));
            }
            let pieces = pieces(&text);
            assert_eq!(pieces.concat(), text);
            assert!((250..=350).contains(&pieces.len()), "{} pieces", pieces.len());
            let (last, rest) = pieces.split_last().unwrap();
            assert!(rest.iter().all(|piece| (2..=6).contains(&piece.chars().count())));
            assert!((1..=6).contains(&last.chars().count()));
        }
    }

    #[test]
    fn the_answer_varies_with_the_prompt_and_quotes_it() {
        let answers: std::collections::HashSet<String> =
            (0..100).map(|i| answer(&format!("Question {i}"))).collect();
        assert_eq!(answers.len(), 100);
        assert!(answer("Why is\nthe sky blue?").contains("“Why is the sky blue?”"));
        assert!(answer(&"ü".repeat(100)).contains(&format!("“{}…”", "ü".repeat(60))));
        assert!(answer("a ```b``` <i>").contains("“a b i”"));
    }
}
