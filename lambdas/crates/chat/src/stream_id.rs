use std::{fmt, sync::Arc};

use uuid::Uuid;

/// The name of one answer: a UUID, made by the client or, where the client made none, by us.
///
/// It is echoed exactly as the client wrote it, because clients compare it as a string.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// A new random one (UUID version 4, RFC 9562).
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string().into())
    }

    /// Accepts the 36-character form with hyphens, in either case (RFC 9562, section 4).
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36 && Uuid::try_parse(text).is_ok()).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
