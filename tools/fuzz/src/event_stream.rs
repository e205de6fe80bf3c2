//! Any bytes as server-sent events: they are cut anywhere on their way, and that must not change what is read.

use probe::sse::{Frame, Parser, SseError};

pub(crate) fn run(data: &[u8]) {
    let (&portion, stream) = data.split_first().unwrap_or((&1, data));
    let whole = Parser::default().push(stream);
    let pieces = in_pieces(stream, usize::from(portion).max(1));
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole, pieces);
            let bytes: usize = whole.iter().map(bytes_of).sum();
            assert!(bytes <= stream.len(), "{bytes} bytes are told of {}", stream.len());
        }
        (whole, pieces) => assert_eq!(whole.err(), pieces.err()),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let with = |portion: u8, stream: &str| [&[portion], stream.as_bytes()].concat();
    let mut seeds =
        vec![with(1, ""), with(3, "id: 7\r\ndata: a\rdata:b\n\n:\n\n"), with(2, "\u{feff}data\n\n")];
    for stream in golden::streams() {
        seeds.extend([with(1, stream.sse), with(7, &stream.sse.replace('\n', "\r\n"))]);
        seeds.push(with(64, &stream.sse.replace('\n', "\r")));
    }
    seeds
}

fn in_pieces(stream: &[u8], portion: usize) -> Result<Vec<Frame>, SseError> {
    let mut parser = Parser::default();
    let mut frames = Vec::new();
    for piece in stream.chunks(portion) {
        frames.extend(parser.push(piece)?);
    }
    Ok(frames)
}

fn bytes_of(frame: &Frame) -> usize {
    match frame {
        Frame::Event { bytes, .. } | Frame::Comment { bytes } => *bytes,
    }
}
