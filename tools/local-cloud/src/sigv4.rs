//! IAM as far as the suite needs it: temporary credentials per function, Signature Version 4 checked on every
//! call, and the actions that each function's role allows.

use http::{HeaderMap, Method, Uri};

/// What Lambda puts into a function's environment.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
}

/// The known credentials and what each may do. Cheap to clone.
#[derive(Clone, Default)]
pub struct Identities {}

/// Who signed a request.
#[derive(Debug, Clone)]
pub struct Principal {
    pub name: String,
}

/// Why a call is refused, with AWS's error code.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Denied {
    pub code: &'static str,
    pub message: String,
}

impl Identities {
    /// New credentials for a role that allows `actions` (such as `sqs:SendMessage`).
    pub fn issue(&self, name: &str, actions: &[&str]) -> Credentials {
        let _ = (name, actions);
        todo!()
    }

    /// Checks signature, time, session token and scope (`region`/`service`/aws4_request) of a request, and that
    /// its principal may do `action`.
    pub fn authorize(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        service: &str,
        action: &str,
    ) -> Result<Principal, Denied> {
        let _ = (method, uri, headers, body, service, action);
        todo!()
    }
}
