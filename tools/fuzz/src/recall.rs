//! A request to resume or to stop an answer.

use chat::{CancelRequest, ResumeRequest};
use serde_json::json;

pub(crate) fn run(data: &[u8]) {
    let resume = ResumeRequest::parse(data);
    if let Ok(ResumeRequest { stream_id, after }) = &resume {
        assert_eq!(stream_id.as_str().len(), 36, "{stream_id}");
        let mut body = json!({"stream_id": stream_id.as_str()});
        if let Some(after) = after {
            body["after"] = (*after).into();
        }
        let rewritten = ResumeRequest::parse(body.to_string().as_bytes());
        assert_eq!(rewritten.as_ref().ok(), resume.as_ref().ok(), "it means itself");
        let digits = after.map(|after| after.to_string());
        let in_a_url = ResumeRequest::from_text(stream_id.as_str(), digits.as_deref());
        assert_eq!(in_a_url.as_ref().ok(), resume.as_ref().ok(), "in a URL it means the same");
    }
    if let Ok(CancelRequest { stream_id }) = CancelRequest::parse(data) {
        // What stops a stream could also resume it: the one is the other without a place.
        assert!(resume.is_ok_and(|resume| resume.stream_id == stream_id && resume.after.is_none()));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let id = "3f2b8c9e-7a41-4f0e-9d55-0c6a1b2d3e4f";
        if let Ok(request) = ResumeRequest::from_text(id, Some(text)) {
            let after = request.after.expect("it was given").to_string();
            assert!(text.trim_start_matches('0') == after.trim_start_matches('0'), "{text} is not {after}");
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let requests = golden::requests();
    let valid = requests.resume_valid.iter().chain(&requests.cancel_valid).map(|case| case.request.bytes());
    let invalid =
        requests.resume_invalid.iter().chain(&requests.cancel_invalid).map(|case| case.body.bytes());
    valid.chain(invalid).chain(["0", "12", "18446744073709551615"].map(Into::into)).collect()
}
