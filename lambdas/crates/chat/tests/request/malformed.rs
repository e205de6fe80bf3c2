use chat::{ErrorCode, MAX_BODY_BYTES};
use serde_json::json;

use crate::checks::*;

#[test]
fn a_body_that_is_no_object_is_told_so() {
    for (name, body) in [
        ("empty", &b""[..]),
        ("spaces", b"  "),
        ("null", b"null"),
        ("a number", b"1"),
        ("a string", b"\"prompt\""),
        ("an array", b"[]"),
        ("an array with the fields in their order", br#"["Hi",null,null,null,null,null]"#),
        ("text", b"hello"),
        ("a byte order mark", b"\xef\xbb\xbf{\"prompt\":\"Hi\"}"),
        ("invalid UTF-8", b"{\"prompt\":\"\xff\"}"),
        ("a character cut in half", b"{\"prompt\":\"\xf0\x9f\x98\"}"),
        ("a surrogate in UTF-8", b"{\"prompt\":\"\xed\xa0\x80\"}"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
    ] {
        check_refused(name, body, &["JSON object in UTF-8"]);
    }
}

#[test]
fn broken_json_is_told_so() {
    for (name, body, says) in [
        ("cut off", r#"{"prompt":"Hi""#, "EOF"),
        ("more behind", r#"{"prompt":"Hi"}{}"#, "trailing"),
        ("a comma too many", r#"{"prompt":"Hi",}"#, "trailing comma"),
        ("a raw line break", "{\"prompt\":\"a\nb\"}", "control character"),
        ("a raw NUL", "{\"prompt\":\"a\0b\"}", "control character"),
        ("a lone surrogate", r#"{"prompt":"\ud83d"}"#, "hex escape"),
        ("a lone trailing surrogate", r#"{"prompt":"\ude00"}"#, "surrogate"),
        ("single quotes", "{'prompt':'Hi'}", "key must be a string"),
        ("a number out of range", r#"{"prompt":"Hi","max_tokens":1e999}"#, "number out of range"),
    ] {
        check_refused(name, body, &["not valid JSON", says]);
    }
}

#[test]
fn ten_thousand_levels_are_refused_and_overflow_nothing() {
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    check_refused("in the prompt", format!(r#"{{"prompt":{open}{close}}}"#), &["`prompt`", "string"]);
    check_refused("in the messages", format!(r#"{{"messages":{open}{close}}}"#), &["messages"]);
    check_refused("in an unknown field", format!(r#"{{"x":{open}{close}}}"#), &["`x`"]);
    let content = format!(r#"{{"messages":[{{"role":"user","content":{open}{close}}}]}}"#);
    check_refused("in a content", content, &["messages[0].content"]);
    check_refused("of objects", r#"{"prompt":"#.repeat(6000), &["prompt"]);
}

#[test]
fn a_field_of_another_type_is_named() {
    check_all([
        ("prompt a number", json!({"prompt": 1}), &["`prompt`", "string"]),
        ("prompt an array", json!({"prompt": ["Hi"]}), &["`prompt`", "string"]),
        ("prompt an object", json!({"prompt": {"text": "Hi"}}), &["`prompt`", "string"]),
        ("messages a string", json!({"messages": "Hi"}), &["`messages`"]),
        ("messages an object", json!({"messages": turn("user", "Hi")}), &["`messages`"]),
        ("a message a string", json!({"messages": ["Hi"]}), &["`messages[0]`"]),
        ("a message an array", json!({"messages": [["user", "Hi"]]}), &["`messages[0]`"]),
        ("a message null", json!({"messages": [null]}), &["`messages[0]`"]),
        ("role a number", json!({"messages": [{"role": 1, "content": "Hi"}]}), &["`messages[0].role`"]),
        (
            "role an object",
            json!({"messages": [{"role": {"user": null}, "content": "Hi"}]}),
            &["`messages[0].role`"],
        ),
        (
            "content a number",
            json!({"messages": [{"role": "user", "content": 1}]}),
            &["`messages[0].content`"],
        ),
        (
            "content null",
            json!({"messages": [{"role": "user", "content": null}]}),
            &["`messages[0].content`"],
        ),
        (
            "content in blocks",
            json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
            &["`messages[0].content`"],
        ),
        ("system a number", json!({"prompt": "Hi", "system": 1}), &["`system`"]),
        ("stream_id a number", json!({"prompt": "Hi", "stream_id": 1}), &["`stream_id`"]),
        ("max_tokens a string", json!({"prompt": "Hi", "max_tokens": "5"}), &["`max_tokens`"]),
        ("max_tokens an array", json!({"prompt": "Hi", "max_tokens": [5]}), &["`max_tokens`"]),
        ("max_tokens true", json!({"prompt": "Hi", "max_tokens": true}), &["`max_tokens`"]),
        ("action a number", json!({"prompt": "Hi", "action": 1}), &["`action`"]),
    ]);
}

#[test]
fn a_field_that_is_unknown_missing_or_there_twice_is_named() {
    check_all([
        ("a misspelt field", json!({"prompt": "Hi", "max_token": 5}), &["`max_token`", "max_tokens"]),
        ("other case", json!({"Prompt": "Hi"}), &["`Prompt`", "prompt"]),
        ("no role", json!({"messages": [{"content": "Hi"}]}), &["messages[0]", "`role`"]),
        ("no content", json!({"messages": [{"role": "user"}]}), &["messages[0]", "`content`"]),
        (
            "a name",
            json!({"messages": [{"role": "user", "content": "Hi", "name": "x"}]}),
            &["messages[0]", "`name`"],
        ),
        ("a system role", json!({"messages": [turn("system", "Hi")]}), &["messages[0].role", "`system`"]),
        ("a role in capitals", json!({"messages": [turn("User", "Hi")]}), &["messages[0].role", "`User`"]),
        ("neither", json!({}), &["exactly one of `prompt` and `messages`"]),
        ("both null", json!({"prompt": null, "messages": null}), &["exactly one of"]),
        ("both", json!({"prompt": "Hi", "messages": [turn("user", "Hi")]}), &["exactly one of"]),
    ]);
    for name in ["prompt", "system", "stream_id", "action"] {
        check_refused(
            name,
            format!(r#"{{"{name}":"a","{name}":"a"}}"#),
            &["duplicate", &format!("`{name}`")],
        );
    }
    check_refused(
        "max_tokens",
        r#"{"prompt":"a","max_tokens":1,"max_tokens":1}"#,
        &["duplicate", "`max_tokens`"],
    );
    let twice = r#"{"messages":[{"role":"user","content":"a","content":"a"}]}"#;
    check_refused("content", twice, &["messages[0]", "duplicate", "`content`"]);
}

#[test]
fn a_body_of_64_kib_is_read_and_one_byte_more_is_too_large() {
    let of = |bytes: usize| format!(r#"{{"prompt":"{}"}}"#, "x".repeat(bytes - 13));
    let at_limit = of(MAX_BODY_BYTES);
    assert_eq!(at_limit.len(), 64 * 1024);
    check_ok("64 KiB", &at_limit);
    for bytes in [MAX_BODY_BYTES + 1, 128 * 1024, 10 * 1024 * 1024] {
        let (code, message) = parse(of(bytes)).unwrap_err();
        assert_eq!(code, ErrorCode::PayloadTooLarge);
        assert!(message.contains(&bytes.to_string()) && message.contains("65536"), "{message}");
    }
}

#[test]
fn a_long_mistake_is_not_quoted_at_length() {
    let long = "\u{6f22}".repeat(20_000);
    check_all([
        ("an unknown field", json!({ &*long: 1 }), &["unknown field"]),
        ("an unknown role", json!({"messages": [turn(&long, "Hi")]}), &["`messages[0].role`", "neither"]),
        (
            "a text for a number",
            json!({"prompt": "Hi", "max_tokens": long}),
            &["`max_tokens`", "invalid type"],
        ),
    ]);
}
