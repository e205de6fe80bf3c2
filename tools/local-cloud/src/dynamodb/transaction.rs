//! `TransactWriteItems`: everything or nothing, and once per token.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Store,
    error::{DynamoDbError, Reason},
    request::Members,
    table::Key,
    value::mistyped,
    write::{Attempt, Kind, Write},
};

const MAX_ITEMS: usize = 100;
/// In bytes, of what is written.
const MAX_PAYLOAD: usize = 4 * 1024 * 1024;
const MAX_TOKEN: usize = 36;
/// How long a token means the same transaction.
const IDEMPOTENCY_WINDOW: Duration = Duration::from_mins(10);

/// The transactions of the last ten minutes that were done, by their tokens.
#[derive(Default)]
pub(super) struct Done(HashMap<String, (Instant, Value)>);

/// What the items of a transaction need a permission for, as far as it can be read.
pub(super) fn permissions(body: &[u8]) -> Vec<&'static str> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = request["TransactItems"].as_array().into_iter().flatten();
    let kinds = items.flat_map(|item| Kind::ALL.into_iter().filter(|kind| item.get(kind.name()).is_some()));
    kinds.map(Kind::permission).collect()
}

pub(super) fn transact_write_items(store: &mut Store, mut members: Members) -> Result<Value, DynamoDbError> {
    let token = members.text("ClientRequestToken")?;
    if let Some(token) = token.as_ref().filter(|token| token.len() > MAX_TOKEN || token.is_empty()) {
        let bound = if token.is_empty() { "greater than or equal to 1" } else { "less than or equal to 36" };
        let rule = format!("have length {bound}");
        return Err(members.constraint("ClientRequestToken", &format!("'{token}'"), &rule));
    }
    let items = members.required("TransactItems")?;
    let writes = parse(&items, &members)?;
    members.finish()?;
    let keys = keys(store, &writes)?;
    let is_repeated = match &token {
        Some(token) => store.done.contains(token, &items)?,
        None => false,
    };
    let attempts: Vec<Attempt> = writes
        .iter()
        .zip(&keys)
        .map(|(write, key)| write.attempt(store.tables[&write.table].get(key)))
        .collect();
    if is_repeated {
        let sizes = attempts.iter().map(|attempt| attempt.units);
        store.metered.half_reads += sizes.map(|units| 4 * units.div_ceil(4)).sum::<u64>();
        return Ok(json!({}));
    }
    // Prepared and committed. What a cancelled transaction costs AWS does not say: here it is the same.
    store.metered.writes += attempts.iter().map(|attempt| 2 * attempt.units).sum::<u64>();
    let news = attempts.into_iter().map(|attempt| attempt.new).collect::<Vec<_>>();
    if news.iter().any(Result::is_err) {
        return Err(DynamoDbError::TransactionCanceled(
            news.into_iter()
                .map(|new| new.err().map_or(Ok(Reason::None), reason))
                .collect::<Result<_, _>>()?,
        ));
    }
    for ((write, key), new) in writes.iter().zip(keys).zip(news) {
        let table = store.tables.get_mut(&write.table).expect("found before");
        table.put(key, new?);
    }
    if let Some(token) = token {
        store.done.insert(token, items);
    }
    Ok(json!({}))
}

/// What it is answered when the plan is that it meets another transaction.
pub(super) fn conflict(body: &[u8]) -> DynamoDbError {
    let items = permissions(body).len().max(1);
    let reason = |at| if at == 0 { Reason::TransactionConflict } else { Reason::None };
    DynamoDbError::TransactionCanceled((0..items).map(reason).collect())
}

impl Done {
    fn contains(&self, token: &str, items: &Value) -> Result<bool, DynamoDbError> {
        match self.0.get(token).filter(|(at, _)| at.elapsed() < IDEMPOTENCY_WINDOW) {
            None => Ok(false),
            Some((_, done)) if done == items => Ok(true),
            Some(_) => Err(DynamoDbError::IdempotentParameterMismatch),
        }
    }

    fn insert(&mut self, token: String, items: Value) {
        self.0.retain(|_, (at, _)| at.elapsed() < IDEMPOTENCY_WINDOW);
        self.0.insert(token, (Instant::now(), items));
    }
}

fn parse(items: &Value, members: &Members) -> Result<Vec<Write>, DynamoDbError> {
    let items = items.as_array().ok_or_else(|| mistyped(items, "List"))?;
    let length = |bound: &str| {
        let rule = format!("have length {bound}");
        Err(members.constraint("TransactItems", &format!("'{}'", json!(items)), &rule))
    };
    match items.len() {
        0 => return length("greater than or equal to 1"),
        1..=MAX_ITEMS => {}
        _ => return length("less than or equal to 100"),
    }
    let writes = items.iter().zip(1..).map(|(item, place)| parse_one(item, place));
    let writes = writes.collect::<Result<Vec<_>, _>>()?;
    if writes.iter().map(Write::payload).sum::<usize>() > MAX_PAYLOAD {
        return invalid("Transaction payload size cannot exceed 4 MB");
    }
    Ok(writes)
}

fn parse_one(item: &Value, place: usize) -> Result<Write, DynamoDbError> {
    let mut item = Members::of(item.clone(), format!("transactItems.{place}.member."))?;
    let mut actions = Kind::ALL.into_iter().filter_map(|kind| Some((kind, item.take(kind.name())?)));
    let (Some((kind, action)), None) = (actions.next(), actions.next()) else {
        return invalid("TransactItems can only contain one of Check, Put, Update or Delete");
    };
    item.finish()?;
    let mut name = kind.name().to_owned();
    name[..1].make_ascii_lowercase();
    let mut members = Members::of(action, format!("transactItems.{place}.member.{name}."))?;
    let write = Write::parse(kind, &mut members)?;
    if kind == Kind::Update && write.changes_nothing() {
        return Err(members.constraint("UpdateExpression", "null", "not be null"));
    }
    members.finish()?;
    Ok(write)
}

/// A key that does not fit its table cancels the transaction, before anything else is looked at.
fn keys(store: &Store, writes: &[Write]) -> Result<Vec<Key>, DynamoDbError> {
    let mut keys = Vec::new();
    let mut seen = HashSet::new();
    for (at, write) in writes.iter().enumerate() {
        let table = store.tables.get(&write.table).ok_or(DynamoDbError::ResourceNotFound)?;
        let key = write.key(table).or_else(|error| {
            let mut reasons: Vec<Reason> = writes.iter().map(|_| Reason::None).collect();
            reasons[at] = reason(error)?;
            Err(DynamoDbError::TransactionCanceled(reasons))
        })?;
        if !seen.insert((&write.table, key.clone())) {
            return invalid("Transaction request cannot include multiple operations on one item");
        }
        keys.push(key);
    }
    Ok(keys)
}

/// What concerns one item; anything else fails the request.
fn reason(error: DynamoDbError) -> Result<Reason, DynamoDbError> {
    match error {
        DynamoDbError::ConditionalCheckFailed(item) => Ok(Reason::ConditionalCheckFailed(item)),
        DynamoDbError::Validation(message) => Ok(Reason::ValidationError(message)),
        DynamoDbError::TransactionCanceled(_)
        | DynamoDbError::IdempotentParameterMismatch
        | DynamoDbError::ResourceNotFound
        | DynamoDbError::Serialization(_)
        | DynamoDbError::UnknownOperation(_)
        | DynamoDbError::Denied(_)
        | DynamoDbError::TransactionConflict
        | DynamoDbError::Throttled
        | DynamoDbError::InternalServerError(_) => Err(error),
    }
}

fn invalid<T>(message: &str) -> Result<T, DynamoDbError> {
    Err(DynamoDbError::Validation(message.to_owned()))
}
