//! AWS Lambda: runs each function's bootstrap as a process per execution environment, over the real
//! Runtime API.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc;

/// What Terraform calls `aws_lambda_function`.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    pub name: String,
    pub bootstrap: PathBuf,
    pub environment: Vec<(String, String)>,
    pub timeout: Duration,
    pub memory_mb: u32,
    /// How many environments may run at once; one more invocation is throttled.
    pub concurrency: usize,
}

/// The service: functions by name. Cheap to clone.
#[derive(Clone)]
pub struct Lambda {}

/// Why an invocation has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    #[error("there is no function {0}")]
    UnknownFunction(String),
    #[error("all {limit} environments of {function} are busy")]
    Throttled { function: String, limit: usize },
    #[error("{function} did not start: {reason}")]
    Init { function: String, reason: String },
    #[error("{function} timed out after {after:?}")]
    TimedOut { function: String, after: Duration },
    #[error("{function} exited before it answered")]
    Exited { function: String },
    /// The function reported an error through the Runtime API.
    #[error("{error_type}: {message}")]
    Function { error_type: String, message: String },
}

/// A response in streaming mode: what the prelude said, then the body as it arrives.
#[derive(Debug)]
pub struct StreamingResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub cookies: Vec<String>,
    /// Ends with `None` after a whole body; an `Err` is a stream that broke. Dropping the receiver means that
    /// the client went away.
    pub body: mpsc::Receiver<Result<Bytes, InvokeError>>,
}

impl Lambda {
    /// Nothing is started before the first invocation, as in the cloud.
    pub fn new(functions: Vec<FunctionConfig>) -> Self {
        let _ = functions;
        todo!()
    }

    /// `RequestResponse`.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let _ = (function, payload);
        todo!()
    }

    /// `Event`: accepted at once, run once (`maximum_retry_attempts = 0`).
    pub fn invoke_event(&self, function: &str, payload: Bytes) {
        let _ = (function, payload);
        todo!()
    }

    /// `InvokeWithResponseStream`.
    pub async fn invoke_with_response_stream(
        &self,
        function: &str,
        payload: Bytes,
    ) -> Result<StreamingResponse, InvokeError> {
        let _ = (function, payload);
        todo!()
    }

    /// Everything the functions have written to stdout and stderr so far, each line with its function's name.
    pub fn logs(&self) -> Vec<(String, String)> {
        todo!()
    }

    /// Kills every environment and waits for it.
    pub async fn shutdown(&self) {
        todo!()
    }
}
