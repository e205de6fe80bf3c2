//! Events as function-url writes them, read again as a client does: whatever the model says, no text of it may look
//! like the end of an event, or like another one.

use std::sync::Arc;

use chat::{Error, ErrorCode, StopReason, StreamEvent, StreamId, Timing, Usage, wire};
use function_url::format::Format;
use probe::sse::{Frame, Parser};
use serde_json::Value;

pub(crate) const STREAM_ID: &str = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";

pub(crate) fn run(data: &[u8]) {
    let (portion, events) = events(data);
    check_ndjson(&events);
    check_event_stream(&events, portion);
    let said: String = events.iter().map(text_of).collect();
    assert_eq!(written(Format::Text, &events), said, "the bare text");
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts = golden::streams().into_iter().flat_map(|stream| [stream.txt, stream.sse, stream.ndjson]);
    let lines = golden::events().into_iter().map(|case| case.line);
    let breaks = [
        "a\r\nb\rc\nd",
        "\0",
        "\u{2028}\u{2029}\u{85}\u{b}\u{c}",
        "\\ud800 \\u0000 \\n",
        "\"}\n\ndata: {\"type\":\"done\"}\n\n",
        "\n\nid: 7\n: ping\n\nevent: x\nretry: 1\n",
        "\u{feff}\u{fffd}\u{ffff}\u{10ffff}\u{1f468}\u{200d}\u{1f469}",
    ];
    let texts = texts.map(str::to_owned).chain(lines).chain(breaks.map(str::to_owned));
    texts.enumerate().map(|(number, text)| [&shape(number)[..], text.as_bytes()].concat()).collect()
}

/// The first two bytes of an input, of every kind.
fn shape(number: usize) -> [u8; 2] {
    let number = u8::try_from(number % 256).unwrap_or_default();
    [number.wrapping_mul(7), number.wrapping_mul(37)]
}

/// A stream made of the input: two bytes for its shape, and the text. And in what portions it is read.
pub(crate) fn events(data: &[u8]) -> (usize, Vec<StreamEvent>) {
    let (&[portion, shape], text) = data.split_first_chunk().unwrap_or((&[1, 0], data));
    // Each delta is an event, and reading them takes its time.
    let text: String = String::from_utf8_lossy(text).chars().take(120).collect();
    let beginning: String = text.chars().take(40).collect();
    let id = StreamId::parse(STREAM_ID).expect("a UUID");
    let mut events =
        vec![StreamEvent::Start { stream_id: id.clone(), seq: 0, model: Arc::from(&*beginning) }];
    let characters: Vec<char> = text.chars().collect();
    let mut seq = 0;
    for piece in characters.chunks(usize::from(shape % 16) + 1) {
        seq += 1;
        events.push(StreamEvent::Delta { stream_id: id.clone(), seq, text: piece.iter().collect() });
        if seq % 3 == 0 {
            events.push(StreamEvent::Ping { stream_id: Some(id.clone()) });
        }
    }
    seq += 1;
    events.push(if shape & 0x80 == 0 {
        let code = ErrorCode::ALL[usize::from(shape) % ErrorCode::ALL.len()];
        StreamEvent::Error { stream_id: Some(id), seq: Some(seq), error: Error::new(code, beginning) }
    } else {
        let first_token_ms = (seq > 1).then_some(u64::from(portion));
        StreamEvent::Done {
            stream_id: id,
            seq,
            stop_reason: StopReason::ALL[usize::from(shape) % StopReason::ALL.len()],
            usage: (shape & 0x40 != 0).then_some(Usage { input_tokens: 3, output_tokens: seq }),
            timing: Timing { first_token_ms, total_ms: 1000 },
        }
    });
    (usize::from(portion).max(1), events)
}

pub(crate) fn json_of(event: &StreamEvent) -> Value {
    serde_json::from_str(&wire::to_json(event)).expect("an event is JSON")
}

fn check_ndjson(events: &[StreamEvent]) {
    let body = written(Format::Ndjson, events);
    let lines = body.strip_suffix('\n').expect("the last line is ended, too").split('\n');
    let read: Vec<_> = lines.map(read).collect();
    assert_eq!(read, events, "NDJSON");
}

fn check_event_stream(events: &[StreamEvent], portion: usize) {
    let body = written(Format::EventStream, events);
    let mut parser = Parser::default();
    let mut frames = Vec::new();
    for portion in body.as_bytes().chunks(portion) {
        frames.extend(parser.push(portion).expect("server-sent events"));
    }
    assert_eq!(frames.len(), events.len(), "as many frames as events");
    for (frame, event) in frames.into_iter().zip(events) {
        match frame {
            Frame::Comment { .. } => assert!(matches!(event, StreamEvent::Ping { .. }), "{event:?}"),
            Frame::Event { id, data, .. } => {
                assert_eq!(&read(&data), event, "server-sent event");
                let seq = json_of(event)["seq"].as_u64().map(|seq| seq.to_string());
                assert_eq!(id, seq, "a browser resumes by the id");
            }
        }
    }
}

fn written(format: Format, events: &[StreamEvent]) -> String {
    let mut body = Vec::new();
    for event in events {
        format.write(&mut body, event);
    }
    String::from_utf8(body).expect("an answer is UTF-8")
}

fn read(json: &str) -> StreamEvent {
    golden::event(&serde_json::from_str(json).expect("an event is JSON"))
}

fn text_of(event: &StreamEvent) -> &str {
    match event {
        StreamEvent::Delta { text, .. } => text,
        StreamEvent::Start { .. }
        | StreamEvent::Ping { .. }
        | StreamEvent::Done { .. }
        | StreamEvent::Error { .. } => "",
    }
}
