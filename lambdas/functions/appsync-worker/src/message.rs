use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;

/// What the attributes of a message say about answering it
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    First,
    /// Received before, by this function or by an invocation that was throttled.
    Again,
    /// Sent longer ago than somebody waits.
    Stale,
}

impl Delivery {
    pub(crate) fn of(message: &SqsMessage, max_age: Duration) -> Self {
        Self::at(message, max_age, Duration::from_secs(startup::unix_now()))
    }

    fn at(message: &SqsMessage, max_age: Duration, now: Duration) -> Self {
        let sent = number(message, "SentTimestamp").map(Duration::from_millis);
        if number(message, "ApproximateReceiveCount").is_some_and(|count| count > 1) {
            Self::Again
        } else if sent.is_some_and(|sent| now.saturating_sub(sent) > max_age) {
            Self::Stale
        } else {
            Self::First
        }
    }
}

fn number(message: &SqsMessage, attribute: &str) -> Option<u64> {
    message.attributes.get(attribute)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_first_delivery_is_answered() {
        let check = |attributes: &[(&str, &str)], expect| {
            let mut message = SqsMessage::default();
            message.attributes =
                attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let found = Delivery::at(&message, Duration::from_mins(1), Duration::from_secs(1000));
            assert_eq!(found, expect, "{attributes:?}");
        };
        check(&[("ApproximateReceiveCount", "1"), ("SentTimestamp", "999000")], Delivery::First);
        check(&[("ApproximateReceiveCount", "1"), ("SentTimestamp", "940000")], Delivery::First);
        check(&[("ApproximateReceiveCount", "1"), ("SentTimestamp", "939999")], Delivery::Stale);
        check(&[("ApproximateReceiveCount", "2"), ("SentTimestamp", "999000")], Delivery::Again);
        check(&[("SentTimestamp", "1001000")], Delivery::First);
        check(&[], Delivery::First);
    }
}
