//! Every fault of `docs/reliability.md`, thrown at the built functions, and the invariants checked afterwards.
//!
//! A [`Scenario`](scenario::Scenario) says what goes wrong with one stream. [`run`](stage::Stage::run) plays it and
//! returns a [`History`](history::History): what the model emitted, what the functions sent, what the client
//! received. [`check`](check::breaches) judges that history, knowing nothing of the fault.

pub mod check;
pub mod history;
