//! Who asks: verification of Cognito access tokens.
//!
//! A [`Caller`] can be made only by [`Verifier::verify`] or by a constructor named after the gateway whose word is
//! taken, so a prompt of somebody unknown does not reach a model: it does not compile.

#![forbid(unsafe_code)]

mod caller;
mod jwks;
mod object;
mod rs256;
mod token;
mod verifier;

pub use caller::{Caller, NotACaller};
pub use jwks::{FetchJwks, JwksUnavailable};
pub use verifier::{AuthError, Settings, Verifier};
