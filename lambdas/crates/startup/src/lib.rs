//! What every `main.rs` does first: settings, telemetry, the HTTP client, AWS configuration.

#![forbid(unsafe_code)]

mod aws;
mod clock;
mod http;
mod jwks;
mod settings;
mod telemetry;

pub use aws::Aws;
pub use clock::{remaining, unix_now};
pub use http::{HttpClient, HttpError};
pub use jwks::{HttpJwks, verifier};
pub use settings::{Settings, SettingsError};
pub use telemetry::{Causes, init as init_telemetry, log_outcome};
