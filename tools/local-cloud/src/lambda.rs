//! AWS Lambda: runs each function's bootstrap as a process per execution environment, over the real
//! Runtime API.
//!
//! An environment serves one invocation at a time; idle ones are reused, the most recent first, as in the
//! Lambda developer guide's "Understanding the Lambda execution environment lifecycle".

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::faults::{Faults, Planned};

use self::{
    function::{Admission, Function},
    invocation::Answer,
    logs::Logs,
};

pub(crate) mod clock;
#[cfg(test)]
pub(crate) mod double;
mod environment;
mod function;
mod invocation;
mod logs;
mod response;
mod runtime_api;
#[cfg(test)]
mod tests;

/// The largest payload of a synchronous invocation, and of a buffered response, in bytes (Lambda quotas: 6 MB).
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024 + 100;

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
    pub on_disconnect: OnDisconnect,
}

/// What a function learns when nobody reads its streaming response any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDisconnect {
    /// Nothing: the rest of its response is read and thrown away. This is what AWS does.
    #[default]
    Drain,
    /// The connection that carries the response is dropped.
    Signal,
}

/// The service: functions by name. Cheap to clone.
#[derive(Clone)]
pub struct Lambda {
    functions: Arc<HashMap<String, Arc<Function>>>,
    logs: Arc<Logs>,
    faults: Faults,
}

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

/// An environment that has been started before anybody needed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provisioned {
    pub pid: u32,
    /// From the bootstrap's start to its first `/next`.
    pub init: Duration,
}

/// What invocations would be billed for, besides the memory. Inits are not in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Billed {
    pub requests: u64,
    pub duration: Duration,
}

impl Lambda {
    /// Nothing is started before the first invocation, as in the cloud.
    pub fn new(functions: Vec<FunctionConfig>) -> Self {
        let logs = Arc::new(Logs::default());
        let functions = functions
            .into_iter()
            .map(|config| (config.name.clone(), Arc::new(Function::new(config, Arc::clone(&logs)))))
            .collect();
        Self { functions: Arc::new(functions), logs, faults: Faults::default() }
    }

    /// Also appends what a function writes to `<dir>/<function>.log`. The directory has to exist.
    #[must_use]
    pub fn with_log_dir(self, dir: PathBuf) -> Self {
        self.logs.append_to(dir);
        self
    }

    /// Environments are killed as planned.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// `RequestResponse`.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        match self.run(function, payload).await? {
            Answer::Buffered(result) => Ok(result),
            Answer::Streaming(mut response) => {
                let mut whole = BytesMut::new();
                while let Some(chunk) = response.body.recv().await {
                    whole.extend_from_slice(&chunk?);
                }
                Ok(whole.freeze())
            }
        }
    }

    /// `Event`: accepted at once, run once (`maximum_retry_attempts = 0`). An event that meets a throttle
    /// waits in Lambda's own queue; that is not a retry in the sense of that setting.
    pub fn invoke_event(&self, function: &str, payload: Bytes) {
        match self.function(function) {
            Ok(function) => {
                let planned = self.planned(&payload);
                // How it ends is in the function's log, where AWS would put it.
                tokio::spawn(async move { drop(function.invoke(payload, Admission::Queue, planned).await) });
            }
            Err(error) => self.logs.push(function, error.to_string()),
        }
    }

    /// `InvokeWithResponseStream`. A function that answers in buffered mode gives a body of one chunk.
    pub async fn invoke_with_response_stream(
        &self,
        function: &str,
        payload: Bytes,
    ) -> Result<StreamingResponse, InvokeError> {
        match self.run(function, payload).await? {
            Answer::Streaming(response) => Ok(response),
            Answer::Buffered(result) => {
                let (sender, body) = mpsc::channel(1);
                // There is room for one, and the receiver is right here.
                drop(sender.try_send(Ok(result)));
                Ok(StreamingResponse {
                    status: 200,
                    headers: response::plain_headers(),
                    cookies: vec![],
                    body,
                })
            }
        }
    }

    /// Everything the functions have written to stdout and stderr so far, each line with its function's name.
    /// The oldest of more than 100,000 lines are gone.
    pub fn logs(&self) -> Vec<(String, String)> {
        self.logs.lines()
    }

    /// The process ids of a function's live environments, the oldest first.
    pub fn environments(&self, function: &str) -> Vec<u32> {
        self.functions.get(function).map(|function| function.pids()).unwrap_or_default()
    }

    /// How a function was configured, to run it elsewhere the same way.
    pub fn config(&self, function: &str) -> Option<FunctionConfig> {
        self.functions.get(function).map(|function| function.config.clone())
    }

    /// Starts one more environment, through its init, and leaves it idle: provisioned concurrency, one at a time.
    pub async fn provision(&self, function: &str) -> Result<Provisioned, InvokeError> {
        self.function(function)?.provision().await
    }

    /// Of every invocation of a function that has ended.
    pub fn billed(&self, function: &str) -> Billed {
        self.functions.get(function).map(|function| function.billed()).unwrap_or_default()
    }

    /// Kills every environment and waits for it. Later invocations fail with `Init`.
    pub async fn shutdown(&self) {
        for function in self.functions.values() {
            function.shutdown().await;
        }
    }

    async fn run(&self, function: &str, payload: Bytes) -> Result<Answer, InvokeError> {
        let planned = self.planned(&payload);
        self.function(function)?.invoke(payload, Admission::OrThrottle, planned).await
    }

    /// A gateway may have encoded the message that names the stream.
    fn planned(&self, payload: &Bytes) -> Option<Arc<Planned>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Encoded {
            is_base64_encoded: bool,
            body: String,
        }
        if self.faults.is_empty() {
            return None;
        }
        let decoded = match serde_json::from_slice(payload) {
            Ok(Encoded { is_base64_encoded: true, body }) => BASE64_STANDARD.decode(body).unwrap_or_default(),
            Ok(_) | Err(_) => Vec::new(),
        };
        self.faults.of(&[payload, decoded.as_slice()].concat())
    }

    fn function(&self, name: &str) -> Result<Arc<Function>, InvokeError> {
        self.functions.get(name).cloned().ok_or_else(|| InvokeError::UnknownFunction(name.to_owned()))
    }
}
