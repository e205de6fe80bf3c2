//! Measures the built functions next to peers that do the same job: same stand-ins, same client, same machine, taking
//! turns. `benchmarks/README.md` says what is measured and how; this writes its tables, plots and figures.

#![allow(clippy::cast_precision_loss, reason = "counts and bytes here are far below 2^52")]

pub mod contestant;
pub mod cost;
pub mod machine;
pub mod page;
pub mod parts;
pub mod plot;
pub mod prices;
pub mod process;
pub mod results;
pub mod stage;
pub mod summary;
