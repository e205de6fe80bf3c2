//! What every `main.rs` does first: settings, telemetry, the HTTP client, AWS configuration. And the line that says
//! how a request went.

#![forbid(unsafe_code)]

mod aws;
mod clock;
mod http;
mod jwks;
mod ledger;
mod metrics;
mod settings;
mod task;
mod telemetry;
mod url;

pub use aws::Aws;
pub use clock::{remaining, unix_millis, unix_now};
pub use http::{HttpClient, HttpError};
pub use jwks::{HttpJwks, verifier};
pub use ledger::Ledger;
pub use settings::{Settings, SettingsError};
pub use task::as_task;
pub use telemetry::{Causes, init as init_telemetry};
pub use url::{NotAUrl, Url};
