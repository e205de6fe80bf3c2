use chat::{ChatRequest, MAX_MESSAGES, Role, StreamId};
use serde_json::json;

use crate::checks::*;

#[test]
fn what_follows_the_rules_is_read_as_it_is() {
    let request = check_ok("a prompt", r#"{"prompt":" Hi\n"}"#);
    assert_eq!(request.messages.len(), 1);
    assert_eq!((request.messages[0].role, request.messages[0].content.as_str()), (Role::User, " Hi\n"));
    assert_eq!((request.max_tokens, request.system), (1024, None), "the operator's cap is the default");
    assert_ne!(request.stream_id, check_ok("another", r#"{"prompt":"Hi"}"#).stream_id);
    assert_eq!(request.caller.sub(), "ann");

    let body = json!({
        "messages": [turn("user", "a"), turn("assistant", "b"), turn("user", "c")],
        "system": "Be brief.", "stream_id": ID, "max_tokens": 7, "action": "stream",
    });
    let request = check_ok("everything", body.to_string());
    let contents: Vec<_> = request.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(contents, ["a", "b", "c"]);
    assert_eq!((request.max_tokens, request.system.as_deref()), (7, Some("Be brief.")));
    assert_eq!(request.stream_id.as_str(), ID);

    check_ok("spaces around", " \r\n\t{\"prompt\":\"Hi\"} \n");
    check_ok(
        "null for absent",
        r#"{"prompt":"Hi","messages":null,"system":null,"stream_id":null,"max_tokens":null}"#,
    );
    check_ok("as many messages as allowed of an odd number", turns(MAX_MESSAGES - 1).to_string());
    check_ok("the least tokens", r#"{"prompt":"Hi","max_tokens":1}"#);
    check_ok("the most tokens", r#"{"prompt":"Hi","max_tokens":1024}"#);
    check_ok("an astral character, escaped", r#"{"prompt":"\ud83d\ude00"}"#);
    let upper = ID.to_uppercase();
    let request = check_ok("an id in capitals", json!({"prompt": "Hi", "stream_id": upper}).to_string());
    assert_eq!(request.stream_id.as_str(), upper, "echoed as the client wrote it");
}

#[test]
fn a_text_is_neither_blank_nor_holds_nul() {
    for blank in ["", " ", "\n\t\r", "\u{a0}", "\u{2003}\u{3000}"] {
        let conversation =
            json!({"messages": [turn("user", "a"), turn("assistant", blank), turn("user", "b")]});
        check_all([
            (blank, json!({ "prompt": blank }), &["`prompt` must not be blank"]),
            (blank, json!({"prompt": "Hi", "system": blank}), &["`system` must not be blank"]),
            (blank, conversation, &["`messages[1].content` must not be blank"]),
        ]);
    }
    check_all([
        ("prompt", json!({"prompt": "a\0b"}), &["`prompt`", "U+0000"]),
        ("system", json!({"prompt": "a", "system": "\0a"}), &["`system`", "U+0000"]),
        ("content", json!({"messages": [turn("user", "a\0")]}), &["`messages[0].content`", "U+0000"]),
    ]);
}

#[test]
fn a_conversation_alternates_and_begins_and_ends_with_the_user() {
    let of =
        |roles: &[&str]| json!({"messages": roles.iter().map(|role| turn(role, "Hi")).collect::<Vec<_>>()});
    let user_at = |index: usize| format!("`messages[{index}].role` must be `user`");
    let assistant_at = |index: usize| format!("`messages[{index}].role` must be `assistant`");
    check_all([
        ("nothing", of(&[]), &["`messages` holds 0"]),
        ("too many", turns(MAX_MESSAGES + 1), &["`messages` holds 51", "50"]),
        ("the assistant alone", of(&["assistant"]), &[&user_at(0)]),
        ("the assistant last", of(&["user", "assistant"]), &[&user_at(1)]),
        ("the assistant first", of(&["assistant", "user"]), &[&user_at(0)]),
        ("the user twice", of(&["user", "user"]), &[&assistant_at(1)]),
        ("the user thrice", of(&["user", "assistant", "user", "user", "user"]), &[&assistant_at(3)]),
    ]);
}

#[test]
fn a_stream_id_is_a_uuid_with_hyphens() {
    let simple = ID.replace('-', "");
    for id in [
        "",
        " ",
        "1",
        &simple,
        &format!("{{{ID}}}"),
        &format!("urn:uuid:{ID}"),
        &format!("{ID} "),
        &format!("{ID}0"),
        &ID[1..],
        &ID.replace('3', "g"),
        &ID.replace("3f", "\u{e9}"),
        &ID.replace('-', "_"),
        &ID.replace('3', "\0"),
        "../../../../../../../../../etc/passwd",
    ] {
        check_refused(id, json!({"prompt": "Hi", "stream_id": id}).to_string(), &["`stream_id`", "UUID"]);
    }
}

#[test]
fn max_tokens_is_a_whole_number_within_the_operators_cap() {
    for number in [
        "0",
        "-1",
        "-0",
        "1025",
        "4294967296",
        "4294967297",
        "18446744073709551615",
        "18446744073709551617",
        "-9223372036854775809",
        "1e100",
        "5.5",
        "5.0",
        "1e2",
        "0.1",
    ] {
        let body = format!(r#"{{"prompt":"Hi","max_tokens":{number}}}"#);
        check_refused(number, body, &["`max_tokens` must be a whole number from 1 to 1024"]);
    }
}

#[test]
fn the_id_of_a_request_is_found_whatever_else_is_wrong_with_it() {
    let id = StreamId::parse(ID);
    for (name, body, expected) in [
        ("good", json!({"prompt": "Hi", "stream_id": ID}), id.clone()),
        ("a rule broken", json!({"stream_id": ID, "max_tokens": "x", "y": [1]}), id),
        ("none", json!({"prompt": "Hi"}), None),
        ("no UUID", json!({"stream_id": "x"}), None),
        ("a number", json!({"stream_id": 1}), None),
        ("no object", json!(1), None),
    ] {
        assert_eq!(ChatRequest::stream_id_of(body.to_string().as_bytes()), expected, "{name}");
    }
    for body in [&b""[..], b"{", b"\xff"] {
        assert_eq!(ChatRequest::stream_id_of(body), None);
    }
}
