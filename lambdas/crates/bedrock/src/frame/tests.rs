use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message as Reference};

use super::*;

fn encoded(headers: &[(&str, HeaderValue)], payload: &[u8]) -> Vec<u8> {
    let headers = headers.iter().map(|(name, value)| Header::new((*name).to_owned(), value.clone()));
    let message = Reference::new_from_parts(headers.collect::<Vec<_>>(), payload.to_vec());
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn string(text: &str) -> HeaderValue {
    HeaderValue::String(text.to_owned().into())
}

fn delta(text: &str) -> Vec<u8> {
    let headers = [(":event-type", string("contentBlockDelta")), (":message-type", string("event"))];
    encoded(&headers, text.as_bytes())
}

/// The lengths are as they are claimed to be, and their checksum is right.
fn prelude(len: usize, headers_len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for len in [len, headers_len] {
        bytes.extend(u32::try_from(len).unwrap().to_be_bytes());
    }
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

#[test]
fn a_message_is_found_by_its_headers_whatever_else_there_is() {
    let check = |headers: &[(&str, HeaderValue)], expected: Result<Kind<'_>, BadFrame>| {
        let bytes = encoded(headers, b"{}");
        let found = first(&bytes).map(|found| found.unwrap().0.kind);
        assert_eq!(found, expected, "{headers:?}");
    };
    let (event, exception, error) = (string("event"), string("exception"), string("error"));
    let others = [
        ("a", HeaderValue::Bool(true)),
        ("b", HeaderValue::Bool(false)),
        ("c", HeaderValue::Byte(-1)),
        ("d", HeaderValue::Int16(2)),
        ("e", HeaderValue::Int32(3)),
        ("f", HeaderValue::Int64(4)),
        ("g", HeaderValue::ByteArray(vec![0xff; 300].into())),
        (":content-type", string("application/json")),
        ("h", HeaderValue::Timestamp(aws_smithy_types::DateTime::from_secs(5))),
        ("i", HeaderValue::Uuid(6)),
    ];
    let mut all = others.to_vec();
    all.extend([(":message-type", event.clone()), (":event-type", string("metadata"))]);
    check(&all, Ok(Kind::Event("metadata")));
    all.rotate_left(5);
    check(&all, Ok(Kind::Event("metadata")));
    check(
        &[(":message-type", exception.clone()), (":exception-type", string("throttlingException"))],
        Ok(Kind::Exception("throttlingException")),
    );
    check(
        &[
            (":message-type", error.clone()),
            (":error-code", string("Busy")),
            (":error-message", string("Later.")),
        ],
        Ok(Kind::Error { code: "Busy", message: "Later." }),
    );
    check(&[(":message-type", error)], Ok(Kind::Error { code: "", message: "" }));
    check(&[(":message-type", event)], Err(BadFrame::Headers));
    check(&[(":message-type", exception)], Err(BadFrame::Headers));
    check(&[(":event-type", string("metadata"))], Err(BadFrame::Headers));
    check(&[(":message-type", string("news")), (":event-type", string("metadata"))], Err(BadFrame::Headers));
    check(
        &[(":message-type", HeaderValue::Byte(1)), (":event-type", string("metadata"))],
        Err(BadFrame::Headers),
    );
}

#[test]
fn frames_are_the_same_in_pieces_of_any_size() {
    let texts: Vec<_> = (0..40).map(|at| "token ".repeat(at * at)).collect();
    let bytes: Vec<u8> = texts.iter().flat_map(|text| delta(text)).collect();
    for size in [1, 2, 3, 11, 12, 13, 100, 1_000, bytes.len()] {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for piece in bytes.chunks(size) {
            frames.push(piece);
            while let Some(text) =
                frames.next(|message| String::from_utf8(message.payload.to_vec()).unwrap()).unwrap()
            {
                found.push(text);
            }
        }
        assert_eq!(found, texts, "{size}");
        assert!(frames.is_empty());
    }
}

#[test]
fn a_frame_with_any_bit_changed_is_refused() {
    let good = delta("the answer");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(first(&bad), Err(BadFrame::Checksum), "bit {bit}");
    }
}

#[test]
fn lengths_that_cannot_be_are_refused_before_the_rest_is_waited_for() {
    let check = |len, headers_len, expected| assert_eq!(first(&prelude(len, headers_len)), expected);
    check(0, 0, Err(BadFrame::Length));
    check(15, 0, Err(BadFrame::Length));
    check(16, 1, Err(BadFrame::Length));
    check(100, 85, Err(BadFrame::Length));
    check(100, 84, Ok(None));
    check(MAX_FRAME, MAX_HEADERS, Ok(None));
    check(MAX_FRAME + 1, 0, Err(BadFrame::Length));
    check(MAX_FRAME, MAX_HEADERS + 1, Err(BadFrame::Length));
    check(u32::MAX as usize, u32::MAX as usize, Err(BadFrame::Length));
    assert_eq!(first(&prelude(16, 0)[..11]), Ok(None));
}

#[test]
fn headers_that_end_early_are_refused() {
    let with = |headers: &[u8]| {
        let len = PRELUDE + headers.len() + CHECKSUM;
        let mut bytes = prelude(len, headers.len());
        bytes.extend(headers);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    };
    for headers in [
        &b"\x05ab"[..],
        b"\x01a",
        b"\x01a\x07",
        b"\x01a\x07\x00",
        b"\x01a\x07\x00\x05abc",
        b"\x01a\x09abc",
        b"\x01a\x0a",
        b"\x0d:message-type\x07\x00\x02\xff\xff",
    ] {
        assert_eq!(first(&with(headers)), Err(BadFrame::Headers), "{headers:?}");
    }
}
