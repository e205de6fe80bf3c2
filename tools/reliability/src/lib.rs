//! Every fault of `docs/reliability.md`, thrown at the built functions, and the invariants checked afterwards.
//!
//! A [`Scenario`](scenario::Scenario) says what goes wrong with one stream. [`Stage::judge`](stage::Stage::judge)
//! plays it and returns a [`History`](history::History): what the model emitted, what the functions sent, what the
//! client received. [`check`] judges that history, knowing nothing of the fault.

pub mod check;
pub mod history;
pub mod load;
pub mod page;
mod play;
pub mod random;
pub mod report;
pub mod rows;
pub mod run;
pub mod scenario;
pub mod stage;
