use chat::Limits;
use startup::Ledger;
use stream_log::{Following, Store};

use crate::{
    format::Format,
    refusal::Refusal,
    responder::{Responder, no_content},
    sink::BodySink,
};

/// One request and the way to answer it.
pub(crate) struct Exchange<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) ledger: &'a Ledger,
    pub(crate) responder: Responder,
}

impl Exchange<'_> {
    pub(crate) async fn stream(self, format: Format) -> BodySink {
        BodySink::new(self.responder.stream(&format.head()).await, format)
    }

    /// A stream out of the log.
    pub(crate) async fn replay<S: Store>(self, format: Format, stream: Following<'_, S>, limits: &Limits) {
        stream.run(self.request_id, &mut self.stream(format).await, limits).await;
    }

    /// What was asked for is done, and there is nothing to say about it.
    pub(crate) async fn done(self) {
        drop(self.responder.stream(&no_content()).await);
    }

    pub(crate) async fn refuse(self, refusal: &Refusal) {
        self.ledger.refused(self.request_id, refusal.stream_id(), refusal.code(), refusal);
        self.responder.whole(&refusal.head(), &refusal.body()).await;
    }
}
