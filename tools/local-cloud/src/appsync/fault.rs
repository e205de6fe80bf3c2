//! GraphQL errors in the shape in which AppSync sends them.

use serde_json::{Value, json};

/// What went wrong with one field, or with a whole operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) error_type: Option<String>,
    // Boxed, since a fault travels in the `Err` of most functions here.
    pub(crate) data: Box<Value>,
    pub(crate) info: Box<Value>,
}

impl Fault {
    pub(crate) fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            error_type: Some(error_type.to_owned()),
            data: Box::default(),
            info: Box::default(),
        }
    }

    /// An error of GraphQL itself.
    pub(crate) fn untyped(message: &str) -> Self {
        Self { error_type: None, ..Self::new("", message) }
    }

    pub(crate) fn not_authorized(parent_type: &str, field: &str) -> Self {
        Self::new("Unauthorized", format!("Not Authorized to access {field} on type {parent_type}"))
    }

    /// An entry of `errors`. `path` is null for an error of the whole operation.
    pub(crate) fn to_json(&self, path: &Value, locations: &Value) -> Value {
        json!({
            "path": path,
            "data": self.data,
            "errorType": self.error_type,
            "errorInfo": self.info,
            "locations": locations,
            "message": self.message,
        })
    }
}

/// AppSync's answer to a request that it does not run: no `data`.
pub(crate) fn refused(error_type: &str, message: &str) -> Value {
    json!({ "errors": [{ "errorType": error_type, "message": message }] })
}
