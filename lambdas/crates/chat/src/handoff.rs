//! From the reader of an answer to its writer, two futures of one task.
//!
//! A channel would wake that task while it runs, and so have everything in it polled once more for each token: with a
//! token every few milliseconds, and cold caches, that is most of what a token costs. Here nobody is woken. The writer is
//! polled after the reader, always, and sees what that one has left.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

/// How often the two may go on by themselves before other tasks have their turn.
const TURNS: usize = 32;

/// What has been read and not been taken.
pub(crate) struct Handoff<T>(Mutex<Waiting<T>>);

struct Waiting<T> {
    items: VecDeque<T>,
    at_most: usize,
    /// The reader has one more.
    blocked: bool,
}

impl<T> Handoff<T> {
    pub(crate) fn new(at_most: usize) -> Self {
        Self(Mutex::new(Waiting { items: VecDeque::with_capacity(at_most), at_most, blocked: false }))
    }

    /// Leaves it for the writer, as soon as there is room.
    pub(crate) async fn put(&self, item: T) {
        let mut item = Some(item);
        poll_fn(|_| {
            let mut waiting = self.lock();
            waiting.blocked = !waiting.has_room();
            if waiting.blocked {
                return Poll::Pending;
            }
            waiting.items.extend(item.take());
            Poll::Ready(())
        })
        .await;
    }

    /// What is there, at once.
    pub(crate) fn take(&self) -> Option<T> {
        self.lock().items.pop_front()
    }

    pub(crate) async fn next(&self) -> T {
        poll_fn(|_| self.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    fn reader_can_go_on(&self) -> bool {
        let waiting = self.lock();
        waiting.blocked && waiting.has_room()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Waiting<T> {
    fn has_room(&self) -> bool {
        self.items.len() < self.at_most
    }
}

/// Runs both until the writer is done; a reader that is not by then is dropped where it is.
pub(crate) async fn side_by_side<T, R>(
    handoff: &Handoff<T>,
    reader: impl Future<Output = ()>,
    writer: impl Future<Output = R>,
) -> R {
    let (mut reader, mut writer) = (pin!(reader), pin!(writer));
    let mut reading = true;
    poll_fn(|context| {
        for _ in 0..TURNS {
            reading = reading && reader.as_mut().poll(context).is_pending();
            if let Poll::Ready(result) = writer.as_mut().poll(context) {
                return Poll::Ready(result);
            }
            // Room is made by the writer, so this is not asked before it had its turn.
            if !(reading && handoff.reader_can_go_on()) {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::select;

    use super::*;

    #[tokio::test]
    async fn what_is_put_is_taken_in_order_however_little_room_there_is() {
        for at_most in [1, 2, 100] {
            let handoff = Handoff::new(at_most);
            let reader = async {
                for item in 0..100 {
                    handoff.put(item).await;
                }
            };
            let writer = async {
                let mut taken = Vec::new();
                while taken.len() < 100 {
                    assert!(handoff.lock().items.len() <= at_most);
                    taken.push(handoff.next().await);
                }
                taken
            };
            let taken = side_by_side(&handoff, reader, writer).await;
            assert_eq!(taken, (0..100).collect::<Vec<_>>(), "{at_most}");
        }
    }

    #[tokio::test]
    async fn two_that_never_wait_let_others_have_their_turn() {
        let handoff = Handoff::new(1);
        let reader = async {
            loop {
                handoff.put(()).await;
            }
        };
        let writer = async {
            loop {
                handoff.next().await;
            }
        };
        let other = tokio::spawn(async {});
        select! {
            biased;
            () = side_by_side(&handoff, reader, writer) => {}
            ran = other => ran.unwrap(),
        }
    }
}
