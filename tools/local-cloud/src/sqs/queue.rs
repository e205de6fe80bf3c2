//! One standard queue: visibility, receipt handles, redrive and retention. Knows no clock of its own.

use std::time::{Duration, Instant, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use uuid::Uuid;

use super::{QueueConfig, error::SqsError};
use crate::sigv4::{hex, random};

/// A message in a queue.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) md5: String,
    sender: String,
    sent: SystemTime,
    first_received: Option<SystemTime>,
    receive_count: u32,
    enqueued: Instant,
    visible_at: Instant,
    /// One for each receive, the latest last.
    receipt_handles: Vec<String>,
}

/// A message as a consumer sees it.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) md5: String,
    pub(super) receipt_handle: String,
    /// The system attributes that we know, by name.
    pub(super) attributes: [(&'static str, String); 4],
}

pub(super) struct Queue {
    pub(super) config: QueueConfig,
    messages: Vec<Message>,
}

/// How many messages are where: `ApproximateNumberOfMessages`, `...NotVisible`, `...Delayed`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

impl Message {
    pub(super) fn new(body: String, sender: &str, delay: Duration) -> Self {
        let now = Instant::now();
        Message {
            id: Uuid::new_v4().to_string(),
            md5: hex(&Md5::digest(&body)),
            body,
            sender: sender.to_owned(),
            sent: SystemTime::now(),
            first_received: None,
            receive_count: 0,
            enqueued: now,
            visible_at: now + delay,
            receipt_handles: Vec::new(),
        }
    }

    fn receive(&mut self, visible_at: Instant) -> Received {
        let receipt_handle = STANDARD.encode(random::<48>());
        self.receive_count += 1;
        self.visible_at = visible_at;
        self.receipt_handles.push(receipt_handle.clone());
        let first_received = *self.first_received.get_or_insert_with(SystemTime::now);
        Received {
            id: self.id.clone(),
            body: self.body.clone(),
            md5: self.md5.clone(),
            receipt_handle,
            attributes: [
                ("ApproximateReceiveCount", self.receive_count.to_string()),
                ("SentTimestamp", epoch_millis(self.sent)),
                ("SenderId", self.sender.clone()),
                ("ApproximateFirstReceiveTimestamp", epoch_millis(first_received)),
            ],
        }
    }
}

impl Received {
    pub(super) fn is_first_receive(&self) -> bool {
        self.attributes.iter().any(|(name, value)| *name == "ApproximateReceiveCount" && value == "1")
    }

    pub(super) fn sent_earlier_by(&mut self, ms: u64) {
        for (name, value) in &mut self.attributes {
            if *name == "SentTimestamp"
                && let Ok(sent) = value.parse::<u64>()
            {
                *value = sent.saturating_sub(ms).to_string();
            }
        }
    }
}

impl Queue {
    pub(super) fn new(config: QueueConfig) -> Self {
        Queue { config, messages: Vec::new() }
    }

    pub(super) fn add(&mut self, message: Message) {
        self.messages.push(message);
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// Forgets what is older than the retention period.
    pub(super) fn expire(&mut self, now: Instant) {
        let retention = self.config.retention;
        self.messages.retain(|message| now.saturating_duration_since(message.enqueued) < retention);
    }

    /// Up to `max` visible messages, invisible from now on; and those that were received too often, which are
    /// taken out. A moved message keeps its id, its body and its age; its receive count begins again.
    pub(super) fn receive(
        &mut self,
        max: usize,
        visibility: Option<Duration>,
        now: Instant,
    ) -> (Vec<Received>, Vec<Message>) {
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        let visible_at = now + visibility.unwrap_or(self.config.visibility_timeout);
        let redrives = self.config.dead_letter_queue.is_some();
        let mut index = 0;
        while index < self.messages.len() && received.len() < max {
            let message = &mut self.messages[index];
            if message.visible_at > now {
                index += 1;
            } else if redrives && message.receive_count >= self.config.max_receive_count {
                let mut message = self.messages.remove(index);
                message.receive_count = 0;
                message.receipt_handles.clear();
                dead.push(message);
            } else {
                received.push(message.receive(visible_at));
                index += 1;
            }
        }
        (received, dead)
    }

    /// When something may be received next; in the past if something may be now.
    pub(super) fn next_visible(&self) -> Option<Instant> {
        self.messages.iter().map(|message| message.visible_at).min()
    }

    /// Any handle that the message ever had deletes it, as on AWS; a message that is gone is no error.
    pub(super) fn delete(&mut self, receipt_handle: &str) {
        self.messages.retain(|message| !message.receipt_handles.iter().any(|known| known == receipt_handle));
    }

    /// Only the latest handle counts, and only while the message is in flight.
    pub(super) fn change_visibility(
        &mut self,
        receipt_handle: &str,
        visibility: Duration,
        now: Instant,
    ) -> Result<(), SqsError> {
        let message = self
            .messages
            .iter_mut()
            .find(|message| message.receipt_handles.iter().any(|known| known == receipt_handle))
            .ok_or(SqsError::ReceiptHandleIsInvalid)?;
        let latest = message.receipt_handles.last().is_some_and(|latest| latest == receipt_handle);
        if !latest || message.visible_at <= now {
            return Err(SqsError::MessageNotInflight);
        }
        message.visible_at = now + visibility;
        Ok(())
    }

    pub(super) fn counts(&self, now: Instant) -> Counts {
        let mut counts = Counts::default();
        for message in &self.messages {
            if message.visible_at <= now {
                counts.visible += 1;
            } else if message.receive_count == 0 {
                counts.delayed += 1;
            } else {
                counts.in_flight += 1;
            }
        }
        counts
    }
}

fn epoch_millis(time: SystemTime) -> String {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn queue(max_receive_count: u32) -> Queue {
        Queue::new(QueueConfig {
            name: "q".to_owned(),
            visibility_timeout: MINUTE,
            retention: 10 * MINUTE,
            dead_letter_queue: Some("dead".to_owned()),
            max_receive_count,
        })
    }

    fn with_message(max_receive_count: u32) -> (Queue, Instant) {
        let mut queue = queue(max_receive_count);
        queue.add(Message::new("body".to_owned(), "me", Duration::ZERO));
        (queue, Instant::now())
    }

    fn receive(queue: &mut Queue, now: Instant) -> Option<Received> {
        queue.receive(10, None, now).0.pop()
    }

    #[test]
    fn a_received_message_is_invisible_until_its_timeout() {
        let (mut queue, now) = with_message(9);
        let first = receive(&mut queue, now).unwrap();
        assert_eq!(first.md5, "841a2d689ad86bd1611447453c22c6fc");
        assert_eq!(first.attributes[0].1, "1");
        assert!(receive(&mut queue, now + MINUTE / 2).is_none());
        assert_eq!(queue.counts(now), Counts { in_flight: 1, ..Counts::default() });
        assert_eq!(queue.next_visible(), Some(now + MINUTE));
        let second = receive(&mut queue, now + MINUTE).unwrap();
        assert_eq!((second.id, &*second.attributes[0].1), (first.id, "2"));
        assert_ne!(second.receipt_handle, first.receipt_handle);
        assert_eq!(second.attributes[1..], first.attributes[1..]);
    }

    #[test]
    fn an_old_handle_deletes_but_does_not_change_the_visibility() {
        let (mut queue, now) = with_message(9);
        let old = receive(&mut queue, now).unwrap().receipt_handle;
        assert_eq!(queue.change_visibility(&old, 2 * MINUTE, now), Ok(()));
        assert!(receive(&mut queue, now + MINUTE).is_none());
        let latest = receive(&mut queue, now + 2 * MINUTE).unwrap().receipt_handle;
        let now = now + 2 * MINUTE;
        assert_eq!(queue.change_visibility(&old, MINUTE, now), Err(SqsError::MessageNotInflight));
        assert_eq!(queue.change_visibility("?", MINUTE, now), Err(SqsError::ReceiptHandleIsInvalid));
        assert_eq!(queue.change_visibility(&latest, Duration::ZERO, now), Ok(()));
        assert_eq!(queue.change_visibility(&latest, MINUTE, now), Err(SqsError::MessageNotInflight));
        queue.delete("?");
        assert_eq!(queue.counts(now).visible, 1);
        queue.delete(&old);
        assert_eq!(queue.counts(now), Counts::default());
    }

    #[test]
    fn one_receive_too_many_moves_the_message_out() {
        let (mut queue, mut now) = with_message(2);
        for _ in 0..2 {
            assert!(receive(&mut queue, now).is_some());
            now += MINUTE;
        }
        let (received, dead) = queue.receive(10, None, now);
        assert!(received.is_empty());
        assert_eq!((dead.len(), &*dead[0].body, dead[0].receive_count), (1, "body", 0));
        assert_eq!(queue.messages().count(), 0);
    }

    #[test]
    fn delay_retention_and_the_size_of_a_batch_hold() {
        let mut queue = queue(9);
        queue.add(Message::new("late".to_owned(), "me", MINUTE));
        let now = Instant::now();
        assert_eq!(queue.counts(now).delayed, 1);
        assert!(receive(&mut queue, now).is_none());
        for _ in 0..3 {
            queue.add(Message::new("now".to_owned(), "me", Duration::ZERO));
        }
        assert_eq!(queue.receive(2, Some(Duration::ZERO), Instant::now()).0.len(), 2);
        queue.expire(now + 9 * MINUTE);
        assert_eq!(queue.messages().count(), 4);
        queue.expire(now + 11 * MINUTE);
        assert_eq!(queue.messages().count(), 0);
    }
}
