//! What `appsync-request` puts into the queue and `appsync-worker` takes out: a prompt that has been checked, and
//! whose it is.

#![forbid(unsafe_code)]

use auth::{Caller, NotACaller};
use chat::{ChatRequest, Message, StreamId};
use serde::{Deserialize, Serialize};

/// The body of a queue message.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    owner: String,
    stream_id: String,
    messages: Vec<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    max_tokens: u32,
}

/// A queue message that no `appsync-request` has written, and that no number of tries will make right.
#[derive(Debug, thiserror::Error)]
pub enum NotAJob {
    /// Says where and not what: the text could be a prompt.
    #[error("the message is not a job (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the job's stream id is not a UUID")]
    StreamId,
    #[error("the job has no owner")]
    Owner(#[source] NotACaller),
}

pub fn write(request: ChatRequest) -> String {
    let ChatRequest { caller, stream_id, messages, system, max_tokens } = request;
    let job = Job {
        owner: caller.sub().to_owned(),
        stream_id: stream_id.to_string(),
        messages,
        system,
        max_tokens,
    };
    serde_json::to_string(&job).expect("strings and numbers always serialize")
}

pub fn read(body: &str) -> Result<ChatRequest, NotAJob> {
    let job: Job = serde_json::from_str(body)
        .map_err(|error| NotAJob::NotJson { line: error.line(), column: error.column() })?;
    Ok(ChatRequest {
        caller: Caller::from_queued_owner(job.owner).map_err(NotAJob::Owner)?,
        stream_id: StreamId::parse(&job.stream_id).ok_or(NotAJob::StreamId)?,
        messages: job.messages,
        system: job.system,
        max_tokens: job.max_tokens,
    })
}

#[cfg(test)]
mod tests {
    use chat::Role;

    use super::*;

    #[test]
    fn a_job_comes_out_as_it_went_in() {
        let request = ChatRequest {
            caller: Caller::from_queued_owner("ann".to_owned()).unwrap(),
            stream_id: StreamId::random(),
            messages: vec![Message { role: Role::User, content: "Grüße \"quoted\"\n".to_owned() }],
            system: None,
            max_tokens: 7,
        };
        assert_eq!(read(&write(request.clone())).unwrap(), request);
    }

    #[test]
    fn anything_else_is_refused_without_being_quoted() {
        let id = StreamId::random();
        for wrong in [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            "secret prompt".to_owned(),
            format!(r#"{{"owner":"","stream_id":"{id}","messages":[],"max_tokens":1}}"#),
            r#"{"owner":"ann","stream_id":"secret","messages":[],"max_tokens":1}"#.to_owned(),
            format!(r#"{{"owner":"ann","stream_id":"{id}","messages":[],"max_tokens":"secret"}}"#),
        ] {
            let error = read(&wrong).map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
