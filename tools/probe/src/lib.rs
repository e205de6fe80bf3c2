//! A client of the three architectures: real HTTP, real WebSocket, the real `AppSync` realtime protocol.
//!
//! [`stream`] runs one request over one architecture and returns everything that arrived, with its times, in
//! the events' contract form (`protocol/README.md`). The modules named after the architectures offer the pieces
//! below it, for tests that break the rules on purpose.

pub mod appsync;
mod error;
pub mod function_url;
mod intake;
mod net;
pub mod report;
mod request;
pub mod settings;
mod sign_in;
mod srp;
pub mod sse;
mod trace;
pub mod websocket_api;

use std::{fmt, time::Duration};

pub use error::{OpenError, ProbeError};
pub use request::Request;
pub use settings::Settings;
pub use sign_in::{Tokens, sign_in};
pub use trace::{Outcome, Received, Trace};

/// How long one wait may last: for a connection, an acknowledgement, or the next event that is not a ping.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);

/// One of the three, displayed by the name it has in every layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    FunctionUrl,
    WebsocketApi,
    Appsync,
}

impl Architecture {
    pub const ALL: [Self; 3] = [Self::FunctionUrl, Self::WebsocketApi, Self::Appsync];

    pub fn name(self) -> &'static str {
        match self {
            Self::FunctionUrl => "function-url",
            Self::WebsocketApi => "websocket-api",
            Self::Appsync => "appsync",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Sends the request and follows its stream to the end. Never fails: what went wrong is in [`Trace::failure`].
///
/// `on_event` sees the events in the contract's order, each number once, as soon as they can be told in that
/// order; pings as they arrive. Dropping the future closes the connection, as closing a browser's tab does.
pub async fn stream(
    settings: &Settings,
    architecture: Architecture,
    access_token: &str,
    request: &Request,
    on_event: impl FnMut(&Received),
) -> Trace {
    stream_within(settings, architecture, access_token, request, DEFAULT_TIMEOUT, on_event).await
}

/// [`stream`] with another bound on each wait. Pings do not extend a wait, so a stream cannot last for ever.
pub async fn stream_within(
    settings: &Settings,
    architecture: Architecture,
    access_token: &str,
    request: &Request,
    timeout: Duration,
    on_event: impl FnMut(&Received),
) -> Trace {
    net::prepare();
    let mut intake = intake::Intake::new(architecture, timeout, on_event);
    let result = match architecture {
        Architecture::FunctionUrl => function_url::run(settings, access_token, request, &mut intake).await,
        Architecture::WebsocketApi => websocket_api::run(settings, access_token, request, &mut intake).await,
        Architecture::Appsync => appsync::run(settings, access_token, request, &mut intake).await,
    };
    intake.finish(result)
}
