use std::collections::VecDeque;

use chat::{
    Answer, Cancellation, Ending, ErrorCode, ModelError, ModelErrorKind, ModelEvent, Opening, StreamEvent,
    Tuning, relay,
};
use golden::Stream;
use tokio::time::{Duration, Instant, sleep};

use super::{FORMATS, extension};
use crate::{
    Responder,
    format::Format,
    runtime::delivery::socket::{Sent, Socket},
    sink::BodySink,
};

#[tokio::test(start_paused = true)]
async fn whole_streams_are_written_as_the_golden_files_byte_for_byte() {
    for stream in golden::streams() {
        for format in FORMATS {
            let (body, broken_off) = write(&stream, format).await;
            let extension = extension(format);
            assert_eq!(body, stream.file(extension), "{}.{extension}", stream.name);
            // The bare text has no other way to say that it is not all.
            let code = stream.json.last().and_then(|end| end["code"].as_str()).filter(|_| extension == "txt");
            assert_eq!(broken_off.as_deref(), code, "{}.{extension}", stream.name);
        }
    }
}

/// Relays an answer that makes the golden events; returns the body and why it was broken off.
async fn write(stream: &Stream, format: Format) -> (String, Option<String>) {
    // While there is no timer: the clock would run on to that, instead of waiting for the connection.
    let (delivery, socket) = Socket::open().await;
    let events: Vec<_> = stream.json.iter().map(golden::event).collect();
    let limits = Tuning::default().limits(Instant::now(), Duration::from_mins(5));
    let StreamEvent::Start { stream_id, model, .. } = &events[0] else { panic!("no start") };
    let opening = Opening { stream_id: stream_id.clone(), model: model.clone() };
    let mut sink = BodySink::new(Responder(delivery).stream(&format.head()).await, format);
    let outcome = relay(opening, Script::of(&events), &mut sink, &limits, &Cancellation::never()).await;
    assert!(!matches!(outcome.ending, Ending::Undelivered(_)), "{:?}", outcome.ending);
    drop(sink);
    let Sent { body, error_type } = socket.read();
    (body, error_type)
}

/// What the model says, each after a pause.
pub(super) struct Script(VecDeque<(Duration, Result<ModelEvent, ModelError>)>);

impl Script {
    /// Text every 50 ms after 412 ms to the first; a ping means that there were 10 s of nothing before.
    fn of(events: &[StreamEvent]) -> Self {
        let mut steps = VecDeque::new();
        let mut pause = Duration::from_millis(412);
        for event in events {
            let said = match event {
                StreamEvent::Start { .. } => continue,
                StreamEvent::Ping { .. } => {
                    pause += Duration::from_secs(10);
                    continue;
                }
                StreamEvent::Delta { text, .. } => Ok(ModelEvent::Text(text.clone())),
                StreamEvent::Done { stop_reason, usage, .. } => {
                    steps.push_back((pause, Ok(ModelEvent::Stop(*stop_reason))));
                    pause = Duration::ZERO;
                    Ok(ModelEvent::Usage(usage.expect("a golden stream says what it billed")))
                }
                StreamEvent::Error { error, .. } => {
                    Err(ModelError::new(kind(error.code), "an internal cause"))
                }
            };
            steps.push_back((pause, said));
            pause = Duration::from_millis(50);
        }
        Self(steps)
    }
}

impl Answer for Script {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        let (pause, said) = self.0.pop_front()?;
        sleep(pause).await;
        Some(said)
    }
}

fn kind(code: ErrorCode) -> ModelErrorKind {
    match code {
        ErrorCode::ModelUnavailable => ModelErrorKind::Unavailable,
        other => panic!("no golden stream ends in {other}"),
    }
}
