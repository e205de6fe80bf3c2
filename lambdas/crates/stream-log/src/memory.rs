//! A store for tests, with the faults of a real one.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    Chunk, Finish, Head, Key, Page, Phase, Rights, Settle, Store, StoreError, Take, Taken, Usage,
    usage::day_of,
};

#[derive(Default)]
pub(crate) struct Memory {
    streams: Mutex<BTreeMap<String, Kept>>,
    accounts: Mutex<BTreeMap<String, Usage>>,
    /// The next so many writes of events fail.
    pub(crate) failing_appends: AtomicUsize,
    /// How long a write of events takes.
    pub(crate) slow_appends: Mutex<Duration>,
}

#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) head: Head,
    pub(crate) chunks: BTreeMap<u64, Chunk>,
    pub(crate) finish: Option<Finish>,
}

impl Memory {
    pub(crate) fn kept(&self, key: &Key) -> Option<Kept> {
        self.streams().get(&name(key)).cloned()
    }

    pub(crate) fn account(&self, owner: &str) -> Usage {
        self.accounts.lock().unwrap().get(owner).cloned().unwrap_or_default()
    }

    /// Changes a head behind everybody's back.
    pub(crate) fn change(&self, key: &Key, change: impl FnOnce(&mut Head)) {
        change(&mut self.streams().get_mut(&name(key)).expect("a stream that is there").head);
    }

    pub(crate) fn lose(&self, key: &Key, chunk: usize) {
        let mut streams = self.streams();
        let chunks = &mut streams.get_mut(&name(key)).expect("a stream that is there").chunks;
        let last = *chunks.keys().nth(chunk).expect("a chunk that is there");
        chunks.remove(&last);
    }

    fn streams(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.streams.lock().unwrap()
    }

    fn with<T>(&self, key: &Key, then: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        self.streams().get_mut(&name(key)).map(then)
    }
}

impl Store for Memory {
    async fn take(&self, key: &Key, take: &Take) -> Result<Taken, StoreError> {
        let mut streams = self.streams();
        let head = streams.get(&name(key)).map(|kept| kept.head.clone());
        let mut mine = Head {
            phase: take.phase,
            attempt: take.attempt.clone(),
            lease_until: take.lease_until,
            request_hash: take.request_hash.clone(),
            cancel_requested: false,
            watched_until: 0,
            reserved: 0,
            day: day_of(take.created_at),
            code: None,
        };
        match (head, &take.rights) {
            (Some(head), Rights::New(_)) if head.phase != Phase::Refused => return Ok(Taken::Exists(head)),
            (Some(head), Rights::Dequeued) if head.phase != Phase::Queued => return Ok(Taken::Exists(head)),
            (Some(head), Rights::Dequeued) => {
                (mine.reserved, mine.day) = (head.reserved, head.day);
                mine.cancel_requested = head.cancel_requested;
            }
            (_, Rights::New(Some(wish))) => {
                let mut accounts = self.accounts.lock().unwrap();
                let account = accounts.get(&key.owner).cloned().unwrap_or_default();
                match account.reserve(&key.canonical_id(), wish) {
                    Ok(account) => accounts.insert(key.owner.clone(), account),
                    Err(over) => return Ok(Taken::Over(over)),
                };
                mine.reserved = wish.tokens;
            }
            (_, Rights::New(None)) | (None, Rights::Dequeued) => {}
        }
        streams.insert(name(key), Kept { head: mine.clone(), chunks: BTreeMap::new(), finish: None });
        Ok(Taken::Mine(mine))
    }

    async fn look(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        Ok(self.kept(key).map(|kept| kept.head))
    }

    async fn renew(&self, key: &Key, attempt: &str, lease_until: u64) -> Result<Option<Head>, StoreError> {
        let renewed = self.with(key, |kept| {
            let mine = kept.head.attempt == attempt && kept.head.phase == Phase::Running;
            mine.then(|| {
                kept.head.lease_until = lease_until;
                kept.head.clone()
            })
        });
        Ok(renewed.flatten())
    }

    async fn append(&self, key: &Key, chunk: &Chunk) -> Result<(), StoreError> {
        let takes = *self.slow_appends.lock().unwrap();
        sleep(takes).await;
        let failing = self.failing_appends.load(Ordering::SeqCst);
        if failing > 0 {
            self.failing_appends.store(failing - 1, Ordering::SeqCst);
            return Err(StoreError::new("keep events", "as planned"));
        }
        self.with(key, |kept| kept.chunks.insert(chunk.last, chunk.clone()));
        Ok(())
    }

    async fn finish(&self, key: &Key, finish: &Finish) -> Result<bool, StoreError> {
        let finished = self.with(key, |kept| {
            let in_time = finish.if_lease_ended_before.is_none_or(|now| kept.head.lease_until < now);
            let mine = kept.head.attempt == finish.attempt && kept.head.phase.is_open() && in_time;
            if mine {
                kept.head.phase = finish.phase;
                kept.head.code = finish.code;
                kept.finish = Some(finish.clone());
            }
            mine
        });
        Ok(finished.unwrap_or(false))
    }

    async fn settle(&self, key: &Key, settle: &Settle) -> Result<(), StoreError> {
        if let Some(account) = self.accounts.lock().unwrap().get_mut(&key.owner)
            && account.running.remove(&key.canonical_id()).is_some()
            && account.day == settle.day
        {
            account.tokens -= settle.unused;
        }
        Ok(())
    }

    async fn cancel(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.with(key, |kept| kept.head.cancel_requested = true).is_some())
    }

    async fn watch(&self, key: &Key, until: u64) -> Result<(), StoreError> {
        self.with(key, |kept| kept.head.watched_until = until);
        Ok(())
    }

    async fn read(&self, key: &Key, after: Option<u64>) -> Result<Page, StoreError> {
        let page = self.with(key, |kept| Page {
            chunks: kept
                .chunks
                .values()
                .filter(|chunk| after.is_none_or(|after| chunk.last > after))
                .cloned()
                .collect(),
            head: Some(kept.head.clone()),
        });
        Ok(page.unwrap_or(Page { chunks: Vec::new(), head: None }))
    }
}

fn name(key: &Key) -> String {
    format!("{}#{}", key.owner, key.canonical_id())
}
