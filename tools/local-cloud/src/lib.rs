//! The AWS services that tristream touches, on loopback, running the built bootstraps.
//!
//! Each module is one service, faithful to the wire and no larger than the suite needs. `cloud` wires them
//! together the way Terraform wires the real ones. Nothing deployed depends on this crate.

pub mod appsync;
pub mod bedrock;
pub mod cloud;
pub mod cognito;
pub mod dynamodb;
pub mod faults;
pub mod function_url;
pub mod lambda;
pub mod sigv4;
pub mod sqs;
pub mod websocket_api;
pub mod wiring;
