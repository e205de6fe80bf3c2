//! The client against small fakes over real sockets: what it sends, and what it makes of the answers.

mod appsync;
mod command_line;
mod fakes;
mod function_url;
mod protocol;
mod resuming;
mod sign_in;
mod websocket_api;
