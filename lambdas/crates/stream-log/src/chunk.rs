//! The events of a chunk as text. `DynamoDB` bills a write by the KB, and a token is a few bytes.

use chat::{StreamEvent, StreamId, wire};

use crate::{Chunk, StoreError};

/// A delta is its text alone, as a JSON string: the rest of it follows from its place. Any other event is the contract's
/// JSON. Neither holds a line break.
pub(crate) fn line(event: &StreamEvent) -> String {
    match event {
        StreamEvent::Delta { text, .. } => serde_json::to_string(text).expect("a string always serializes"),
        StreamEvent::Start { .. }
        | StreamEvent::Ping { .. }
        | StreamEvent::Done { .. }
        | StreamEvent::Error { .. } => wire::to_json(event),
    }
}

/// The events of a chunk, as they were sent. They name their stream as whoever reads them does: the same UUID may be written
/// in capitals, and clients compare it as a string.
pub(crate) fn events(stream_id: &StreamId, chunk: &Chunk) -> Result<Vec<StreamEvent>, StoreError> {
    let unreadable = |problem: String| StoreError::new("read an event", problem);
    let events = (chunk.first..).zip(chunk.events.lines()).map(|(seq, line)| {
        if line.starts_with('"') {
            let text = serde_json::from_str(line);
            let text = text.map_err(|_| unreadable(format!("the text of event {seq} is not JSON")))?;
            return Ok(StreamEvent::Delta { stream_id: stream_id.clone(), seq, text });
        }
        let event = wire::from_json(line).map_err(|error| StoreError::new("read an event", error))?;
        Ok(named(event, stream_id))
    });
    let events: Vec<_> = events.collect::<Result<_, _>>()?;
    if events.last().and_then(StreamEvent::seq) != Some(chunk.last) {
        return Err(unreadable(format!("a chunk does not end with event {}", chunk.last)));
    }
    Ok(events)
}

fn named(event: StreamEvent, stream_id: &StreamId) -> StreamEvent {
    let stream_id = stream_id.clone();
    match event {
        StreamEvent::Start { seq, model, .. } => StreamEvent::Start { stream_id, seq, model },
        StreamEvent::Delta { seq, text, .. } => StreamEvent::Delta { stream_id, seq, text },
        StreamEvent::Ping { .. } => StreamEvent::Ping { stream_id: Some(stream_id) },
        StreamEvent::Done { seq, stop_reason, usage, timing, .. } => {
            StreamEvent::Done { stream_id, seq, stop_reason, usage, timing }
        }
        StreamEvent::Error { seq, error, .. } => {
            StreamEvent::Error { stream_id: Some(stream_id), seq, error }
        }
    }
}

#[cfg(test)]
mod tests {
    use chat::{StopReason, Timing};

    use super::*;

    #[test]
    fn events_come_out_as_they_went_in_and_take_little_room() {
        let id = StreamId::random();
        let delta =
            |seq, text: &str| StreamEvent::Delta { stream_id: id.clone(), seq, text: text.to_owned() };
        let events_in = vec![
            StreamEvent::Start { stream_id: id.clone(), seq: 0, model: "a-model".into() },
            delta(1, "Grüße"),
            delta(2, "\n\"{\u{2028}\u{0}\\"),
            delta(3, "{\"type\":\"done\"}"),
            StreamEvent::Done {
                stream_id: id.clone(),
                seq: 4,
                stop_reason: StopReason::EndTurn,
                usage: None,
                timing: Timing { first_token_ms: None, total_ms: 1 },
            },
        ];
        let lines: Vec<_> = events_in.iter().map(line).collect();
        assert_eq!(lines[1], "\"Grüße\"");
        let mut chunk = Chunk { first: 0, last: 4, events: lines.join("\n"), expires_at: 0 };
        assert_eq!(events(&id, &chunk).unwrap(), events_in);
        let capitals = StreamId::parse(&id.as_str().to_uppercase()).unwrap();
        let shouted = events(&capitals, &chunk).unwrap();
        assert!(shouted.iter().all(|event| wire::to_json(event).contains(capitals.as_str())));
        chunk.last = 5;
        assert!(events(&id, &chunk).is_err(), "a chunk that lost its end");
        chunk.events = "\"secret".to_owned();
        let error = events(&id, &chunk).unwrap_err();
        assert!(!format!("{error} {:?}", error.source).contains("secret"));
    }
}
