//! What the items look like.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use chat::ErrorCode;

use super::{AttributeValue, Item, Update};
use crate::{
    store::{Chunk, Finish, Head, Key, Page, Phase, StoreError},
    usage::Usage,
};

const HEAD: &str = "head";
const CHUNK: &str = "chunk#";

pub(super) fn stream_pk(key: &Key) -> String {
    format!("stream#{}#{}", key.owner, key.canonical_id())
}

pub(super) fn head_key(key: &Key) -> Item {
    keys(stream_pk(key), HEAD.to_owned())
}

pub(super) fn usage_key(key: &Key) -> Item {
    keys(format!("user#{}", key.owner), "usage".to_owned())
}

/// A chunk sorts by the last of its events: whatever sorts after this one holds something new.
pub(super) fn chunks_after(seq: Option<u64>) -> String {
    seq.map_or_else(|| CHUNK.to_owned(), |seq| format!("{CHUNK}{seq:012}"))
}

pub(super) fn of_chunk(key: &Key, chunk: &Chunk) -> Item {
    let mut item = keys(stream_pk(key), chunks_after(Some(chunk.last)));
    item.insert("first".into(), number(chunk.first));
    item.insert("last".into(), number(chunk.last));
    item.insert("events".into(), AttributeValue::S(chunk.events.clone()));
    item.insert("expires_at".into(), number(chunk.expires_at));
    item
}

pub(super) fn page(items: &[Item]) -> Result<Page, StoreError> {
    let mut page = Page { chunks: Vec::new(), head: None };
    for item in items {
        if text(item, "sk")? == HEAD {
            page.head = Some(head(item)?);
        } else {
            page.chunks.push(Chunk {
                first: integer(item, "first")?,
                last: integer(item, "last")?,
                events: text(item, "events")?.to_owned(),
                expires_at: integer(item, "expires_at")?,
            });
        }
    }
    Ok(page)
}

pub(super) fn head(item: &Item) -> Result<Head, StoreError> {
    let code = item.get("code").map(|_| text(item, "code")).transpose()?;
    Ok(Head {
        phase: Phase::parse(text(item, "phase")?).ok_or_else(|| unreadable("phase"))?,
        attempt: text(item, "attempt")?.to_owned(),
        lease_until: integer(item, "lease_until")?,
        request_hash: text(item, "request_hash")?.to_owned(),
        cancel_requested: item.contains_key("cancel_requested"),
        watched_until: item.get("watched_until").map_or(Ok(0), |_| integer(item, "watched_until"))?,
        reserved: integer(item, "reserved")?,
        day: integer(item, "usage_day")?,
        code: code.map(|code| ErrorCode::parse(code).ok_or_else(|| unreadable("code"))).transpose()?,
    })
}

/// The end of a stream, as an update of its head.
pub(super) fn finish(key: &Key, finish: &Finish) -> Update {
    let notes = finish.notes;
    let numbers = [
        ("input_tokens", notes.input_tokens),
        ("output_tokens", notes.output_tokens),
        ("first_token_ms", notes.first_token_ms),
        ("total_ms", notes.total_ms),
    ];
    let texts = [("code", finish.code.map(ErrorCode::as_str)), ("stop_reason", notes.stop_reason)];
    let mut update = Update::of(head_key(key)).text(":phase", finish.phase.as_str());
    let mut expression = "SET phase = :phase".to_owned();
    for (name, value) in numbers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let _ = write!(expression, ", {name} = :{name}");
        update = update.number(format!(":{name}"), value);
    }
    for (name, value) in texts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let _ = write!(expression, ", {name} = :{name}");
        update = update.text(format!(":{name}"), value);
    }
    let update = update.set(expression).text(":attempt", &finish.attempt);
    let update = update.text(":running", Phase::Running.as_str()).text(":queued", Phase::Queued.as_str());
    let mine = "attempt = :attempt AND (phase = :running OR phase = :queued)";
    match finish.if_lease_ended_before {
        None => update.only_if(mine),
        Some(now) => update.only_if(format!("{mine} AND lease_until < :now")).number(":now", now),
    }
}

pub(super) fn of_usage(key: &Key, usage: &Usage) -> Item {
    let running = usage.running.iter().map(|(id, until)| (Cow::Owned(id.clone()), number(*until))).collect();
    let mut item = usage_key(key);
    item.insert("usage_day".into(), number(usage.day));
    item.insert("tokens".into(), number(usage.tokens));
    item.insert("running".into(), AttributeValue::M(running));
    item.insert("rev".into(), number(usage.rev));
    item
}

pub(super) fn usage(item: &Item) -> Result<Usage, StoreError> {
    let Some(AttributeValue::M(running)) = item.get("running") else { return Err(unreadable("running")) };
    let running: Result<BTreeMap<_, _>, StoreError> =
        running.keys().map(|id| Ok((id.to_string(), integer(running, id)?))).collect();
    Ok(Usage {
        day: integer(item, "usage_day")?,
        tokens: integer(item, "tokens")?,
        running: running?,
        rev: integer(item, "rev")?,
    })
}

fn keys(pk: String, sk: String) -> Item {
    [("pk".into(), AttributeValue::S(pk)), ("sk".into(), AttributeValue::S(sk))].into()
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        Some(AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::M(_)) | None => {
            Err(unreadable(name))
        }
    }
}

fn integer(item: &Item, name: &str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().map_err(|_| unreadable(name)),
        Some(AttributeValue::S(_) | AttributeValue::Bool(_) | AttributeValue::M(_)) | None => {
            Err(unreadable(name))
        }
    }
}

/// Says where and not what: the item may hold an answer's text.
fn unreadable(name: &str) -> StoreError {
    StoreError::new("read an item", format!("its attribute {name} is missing or of another kind"))
}
