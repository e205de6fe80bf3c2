//! The log's pen: writes what was sent, however long that takes.

use std::sync::atomic::Ordering;

use startup::Causes;
use tokio::time::timeout;
use tracing::warn;

use crate::{Chunk, Key, Store, pace, recording::Recorder};

/// Writes until there is nothing more, and says how often the store failed.
pub(crate) async fn write<S: Store>(store: &S, key: &Key, recorder: &Recorder, expires_at: u64) -> u64 {
    let records = &recorder.records;
    let mut failures = 0;
    loop {
        records.due().await;
        let Some(lines) = records.take() else { return failures };
        let chunk = Chunk { first: lines.first, last: lines.last, events: lines.text, expires_at };
        while !recorder.lost.load(Ordering::Relaxed) {
            let is_last_try = records.has_ended();
            let Err(error) = store.append(key, &chunk).await else { break };
            failures += 1;
            if failures == 1 {
                warn!(stream_id = key.stream_id.as_str(), error = %Causes(&error), "events were not kept");
            }
            if is_last_try {
                recorder.lost.store(true, Ordering::Relaxed);
            } else {
                let _ = timeout(pace::AFTER_FAILURE, records.ended()).await;
            }
        }
    }
}
