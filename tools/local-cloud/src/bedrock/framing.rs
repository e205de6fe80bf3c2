//! Frames in pieces: a reader must not care where a chunk ends.

use bytes::Bytes;
use fastrand::Rng;

use super::Framing;

const LARGEST_PIECE: usize = 16;

pub(super) enum Cutter {
    Whole,
    Bytes,
    Pieces(Rng),
}

impl Cutter {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Whole => Self::Whole,
            Framing::Bytes => Self::Bytes,
            Framing::Pieces { seed } => Self::Pieces(Rng::with_seed(seed)),
        }
    }

    /// Takes the next piece off the frame.
    pub(super) fn next(&mut self, frame: &mut Bytes) -> Bytes {
        let length = match self {
            Self::Whole => frame.len(),
            Self::Bytes => 1,
            Self::Pieces(random) => random.usize(1..=LARGEST_PIECE),
        };
        frame.split_to(length.min(frame.len()))
    }
}
