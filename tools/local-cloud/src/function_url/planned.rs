//! What a plan leaves of an answer on its way to the client.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

use crate::{
    faults::{Delivered, Planned, To},
    lambda::InvokeError,
};

#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("cut by a plan")]
    Cut,
    #[error(transparent)]
    Function(#[from] InvokeError),
}

struct Delivery {
    body: mpsc::Receiver<Result<Bytes, InvokeError>>,
    planned: Arc<Planned>,
    request_id: String,
    ready: VecDeque<Bytes>,
    cut: bool,
}

pub(super) fn deliver(
    body: mpsc::Receiver<Result<Bytes, InvokeError>>,
    planned: Arc<Planned>,
    request_id: String,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send {
    let delivery = Delivery { body, planned, request_id, ready: VecDeque::new(), cut: false };
    stream::unfold(delivery, |mut delivery| async move {
        let portion = delivery.next().await?;
        Some((portion, delivery))
    })
}

impl Delivery {
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            if let Some(portion) = self.ready.pop_front() {
                return Some(Ok(portion));
            }
            if self.cut {
                // What was delivered before is flushed while nothing is ready.
                tokio::task::yield_now().await;
                return Some(Err(Broken::Cut));
            }
            match self.body.recv().await? {
                Ok(portion) => {
                    let to = To::Request(self.request_id.clone());
                    let Delivered { messages, cut } = self.planned.deliver(to, portion);
                    self.ready.extend(messages);
                    self.cut = cut;
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}
