//! The body of a queue message. Only `appsync-request` may send one, but a wrong one must not stop the worker, and
//! what is said about it goes to the log: no word of it may be a prompt's.

pub(crate) fn run(data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    match appsync_job::read(body) {
        Ok(request) => {
            assert!(!request.caller.sub().is_empty(), "an answer for nobody");
            let written = appsync_job::write(request.clone());
            assert_eq!(appsync_job::read(&written).as_ref().ok(), Some(&request), "{} bytes", written.len());
        }
        Err(error) => {
            let said = error.to_string().replace(|character: char| character.is_ascii_digit(), "");
            let known = [
                "the message is not a job (line , column )",
                "the job's stream id is not a UUID",
                "the job has no owner",
            ];
            assert!(known.contains(&said.as_str()), "it quotes the message: {error}");
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let valid = golden::requests()
        .valid
        .into_iter()
        .filter_map(|case| crate::request::parse(&case.request.bytes()).ok());
    let jobs = valid.map(|request| appsync_job::write(request).into_bytes());
    jobs.chain([b"null".to_vec(), b"[]".to_vec(), b"{\"owner\":\"\"}".to_vec()]).collect()
}
