//! What plans make of the messages that a mapping receives.

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
            Some(QueueFault::Copies(_) | QueueFault::Again) | None => rest.push(message),
        }
    }
    if !rest.is_empty() {
        batches.push(rest);
    }
    batches
}

/// Whether a message comes back although it was done with.
pub(super) fn comes_again(faults: &Faults, message: &Received) -> bool {
    message.is_first_receive() && matches!(fault(faults, message), Some(QueueFault::Again))
}

fn fault(faults: &Faults, message: &Received) -> Option<QueueFault> {
    faults.of(message.body.as_bytes())?.plan.queue
}
