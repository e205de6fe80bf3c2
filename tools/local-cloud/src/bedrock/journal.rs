//! Which calls there were, for tests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Instant,
};

use bytes::Bytes;
use serde_json::Value;

use super::ModelCall;
use crate::faults::Planned;

/// How many calls are kept: a local cloud may run for days.
const CAPACITY: usize = 10_000;

#[derive(Default)]
pub(super) struct Journal {
    calls: Mutex<VecDeque<Entry>>,
}

struct Entry {
    /// The request as it came, to be searched.
    body: Bytes,
    call: Arc<Mutex<ModelCall>>,
}

/// One call under way. The answer's body owns it: when the caller goes away, hyper drops the body, and this is
/// how the journal learns of it.
pub(super) struct Record {
    call: Arc<Mutex<ModelCall>>,
    planned: Option<Arc<Planned>>,
}

impl Journal {
    pub(super) fn open(
        &self,
        model_id: String,
        request: Value,
        body: Bytes,
        planned: Option<Arc<Planned>>,
    ) -> Record {
        let call = Arc::new(Mutex::new(ModelCall {
            model_id,
            request,
            opened: Instant::now(),
            tokens: Vec::new(),
            closed: None,
            completed: false,
        }));
        let mut calls = self.calls.lock().expect("the journal's lock");
        if calls.len() == CAPACITY {
            calls.pop_front();
        }
        calls.push_back(Entry { body, call: call.clone() });
        if let Some(planned) = &planned {
            planned.note_call(call.clone());
        }
        Record { call, planned }
    }

    pub(super) fn calls(&self) -> Vec<ModelCall> {
        self.calls_of("")
    }

    pub(super) fn calls_of(&self, marker: &str) -> Vec<ModelCall> {
        let calls = self.calls.lock().expect("the journal's lock");
        let wanted = calls.iter().filter(|entry| String::from_utf8_lossy(&entry.body).contains(marker));
        wanted.map(|entry| entry.call.lock().expect("a call's lock").clone()).collect()
    }
}

impl Record {
    pub(super) fn token(&self, token: String) {
        self.call.lock().expect("a call's lock").tokens.push((Instant::now(), token));
        if let Some(planned) = &self.planned {
            planned.token();
        }
    }

    pub(super) fn complete(&self) {
        let mut call = self.call.lock().expect("a call's lock");
        call.completed = true;
        call.closed = Some(Instant::now());
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.call.lock().expect("a call's lock").closed.get_or_insert_with(Instant::now);
    }
}
