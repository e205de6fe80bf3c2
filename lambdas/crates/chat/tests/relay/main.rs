//! `relay` between a scripted model and a recording sink, in paused time.

mod cancelling;
mod coalescing;
mod deltas;
mod doubles;
mod endings;
mod pings;
mod property;
mod slow_and_gone;
