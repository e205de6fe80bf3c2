use aws_lambda_events::sqs::SqsMessage;
use sqs_queue::Queue;
use startup::Causes;
use tracing::warn;

/// How soon a failed message is tried again. The queue's own visibility timeout is many times the function's, which would
/// keep poison away from the dead-letter queue for an hour.
const AGAIN_AFTER_SECONDS: u64 = 10;

/// Best effort: without it the message only comes back later.
pub(crate) async fn return_soon(queue: &Queue, message: &SqsMessage) {
    let receipt_handle = message.receipt_handle.as_deref().unwrap_or_default();
    if let Err(error) = queue.change_visibility(receipt_handle, AGAIN_AFTER_SECONDS).await {
        warn!(error = %Causes(&error), "the visibility timeout was not shortened");
    }
}
