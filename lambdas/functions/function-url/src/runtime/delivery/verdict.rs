use http::StatusCode;

use crate::runtime::RuntimeError;

/// What the Runtime API says to an answer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runtime) struct Verdict {
    pub(in crate::runtime) status: StatusCode,
    /// The connection may carry another answer.
    pub(in crate::runtime) keeps_connection: bool,
}

impl Verdict {
    /// `None` until all of it is there. Its body says nothing, and is only known to be over where its length is given.
    pub(super) fn read(heard: &[u8]) -> Result<Option<Self>, RuntimeError> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut fields);
        let parsed = response.parse(heard).map_err(|_| RuntimeError::BrokenOff)?;
        let httparse::Status::Complete(head_bytes) = parsed else { return Ok(None) };
        let code = response.code.unwrap_or_default();
        let status = StatusCode::from_u16(code).map_err(|_| RuntimeError::BrokenOff)?;
        let field = |name: &str| {
            let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
            str::from_utf8(field.value).ok()
        };
        let Some(length) = field("content-length").and_then(|length| length.parse::<usize>().ok()) else {
            return Ok(Some(Self { status, keeps_connection: false }));
        };
        if heard.len() - head_bytes < length {
            return Ok(None);
        }
        let closes = field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok(Some(Self { status, keeps_connection: !closes }))
    }
}
