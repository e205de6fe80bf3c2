//! A client of the three architectures: real HTTP, real WebSocket, the real `AppSync` realtime protocol.
//!
//! [`stream`] runs one request over one architecture and returns everything that arrived, with its times, in
//! the events' contract form (`protocol/README.md`). [`cancel`] ends such a stream, [`resume`] follows the rest of one,
//! and [`stream_resuming`] does that by itself whenever a connection breaks. The modules named after the architectures offer the pieces
//! below it, for tests that break the rules on purpose.

pub mod appsync;
mod error;
pub mod function_url;
mod intake;
mod net;
pub mod report;
mod request;
mod resuming;
pub mod settings;
mod sign_in;
mod srp;
pub mod sse;
mod trace;
pub mod websocket_api;

use std::{fmt, time::Duration};

use intake::Intake;

pub use error::{ContractError, OpenError, ProbeError};
pub use request::Request;
pub use resuming::stream_resuming;
pub use settings::Settings;
pub use sign_in::{Tokens, sign_in};
pub use trace::{Outcome, Received, Resumption, Trace};

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
    let mut intake = Intake::new(architecture, None, timeout, on_event);
    let result = ask(settings, architecture, access_token, request, &mut intake).await;
    intake.finish(result)
}

/// Follows the rest of a stream that has been asked for, after a number or from its beginning, to the end.
pub async fn resume(
    settings: &Settings,
    architecture: Architecture,
    access_token: &str,
    stream_id: &str,
    after: Option<u64>,
    timeout: Duration,
    on_event: impl FnMut(&Received),
) -> Trace {
    net::prepare();
    let mut intake = Intake::new(architecture, after, timeout, on_event);
    intake.resume(architecture);
    let stream = Request::of_stream(stream_id);
    let result = rest(settings, architecture, access_token, &stream, &mut intake).await;
    intake.finish(result)
}

/// Asks for the end of a stream. The stream says itself that it ends. A refusal is [`ProbeError::Contract`].
pub async fn cancel(
    settings: &Settings,
    architecture: Architecture,
    access_token: &str,
    stream_id: &str,
) -> Result<(), ProbeError> {
    net::prepare();
    match architecture {
        Architecture::FunctionUrl => function_url::cancel(settings, access_token, stream_id).await,
        Architecture::WebsocketApi => websocket_api::cancel(settings, access_token, stream_id).await,
        Architecture::Appsync => appsync::cancel(settings, access_token, stream_id).await,
    }
}

async fn ask<F: FnMut(&Received)>(
    settings: &Settings,
    architecture: Architecture,
    access_token: &str,
    request: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    match architecture {
        Architecture::FunctionUrl => function_url::run(settings, access_token, request, intake).await,
        Architecture::WebsocketApi => websocket_api::run(settings, access_token, request, intake).await,
        Architecture::Appsync => appsync::run(settings, access_token, request, intake).await,
    }
}

async fn rest<F: FnMut(&Received)>(
    settings: &Settings,
    architecture: Architecture,
    access_token: &str,
    stream: &Request,
    intake: &mut Intake<F>,
) -> Result<(), ProbeError> {
    match architecture {
        Architecture::FunctionUrl => function_url::resume(settings, access_token, stream, intake).await,
        Architecture::WebsocketApi => websocket_api::resume(settings, access_token, stream, intake).await,
        Architecture::Appsync => appsync::resume(settings, access_token, stream, intake).await,
    }
}
