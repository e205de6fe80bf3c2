//! What plans make of the messages that a mapping receives.

use std::time::Duration;

use super::queue::Received;
use crate::faults::{Faults, QueueFault};

/// The batches that are invoked at once in place of the received one.
pub(super) fn batches(faults: &Faults, received: Vec<Received>) -> Vec<Vec<Received>> {
    if faults.is_empty() {
        return vec![received];
    }
    let (mut batches, mut rest) = (Vec::new(), Vec::new());
    for mut message in received {
        match fault(faults, &message) {
            Some(QueueFault::Copies(times)) if message.is_first_receive() => {
                batches.extend(vec![vec![message]; times]);
            }
            Some(QueueFault::Waited(ms)) => {
                message.sent_earlier_by(ms);
                rest.push(message);
            }
            Some(QueueFault::Copies(_) | QueueFault::Again | QueueFault::Late(_)) | None => {
                rest.push(message);
            }
        }
    }
    if !rest.is_empty() {
        batches.push(rest);
    }
    batches
}

/// How much later a batch is delivered.
pub(super) fn delay(faults: &Faults, batch: &[Received]) -> Duration {
    if faults.is_empty() {
        return Duration::ZERO;
    }
    let late = batch.iter().filter_map(|message| match fault(faults, message) {
        Some(QueueFault::Late(ms)) if message.is_first_receive() => Some(Duration::from_millis(ms)),
        Some(QueueFault::Copies(_) | QueueFault::Again | QueueFault::Late(_) | QueueFault::Waited(_))
        | None => None,
    });
    late.max().unwrap_or_default()
}

/// Whether a message comes back although it was done with.
pub(super) fn comes_again(faults: &Faults, message: &Received) -> bool {
    message.is_first_receive() && matches!(fault(faults, message), Some(QueueFault::Again))
}

fn fault(faults: &Faults, message: &Received) -> Option<QueueFault> {
    faults.of(message.body.as_bytes())?.plan.queue
}
