use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::Client;
use startup::Causes;
use tracing::warn;

/// How soon a failed message is tried again, in seconds. The queue's own visibility timeout is many times the
/// function's, which would keep poison away from the dead-letter queue for an hour.
const AGAIN_AFTER_SECONDS: i32 = 10;

/// The queue that feeds this function.
pub struct Queue {
    pub client: Client,
    pub url: String,
}

impl Queue {
    /// Best effort: without it the message only comes back later.
    pub(crate) async fn return_soon(&self, message: &SqsMessage) {
        let changed = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .set_receipt_handle(message.receipt_handle.clone())
            .visibility_timeout(AGAIN_AFTER_SECONDS)
            .send()
            .await;
        if let Err(error) = changed {
            warn!(error = %Causes(&error), "the visibility timeout was not shortened");
        }
    }
}
