//! The operations on one item and on one partition.

use serde_json::{Value, json};

use super::{
    Store,
    error::DynamoDbError,
    expression::{Placeholders, key_condition::KeyCondition},
    request::Members,
    table::{Key, Table, matches},
    value::{Item, item_size, item_to_json, mistyped, parse_item},
    write::{Attempt, Kind, Write},
};

/// In bytes. The item with which a page gets as large as this is its last.
const MAX_PAGE: usize = 1024 * 1024;

const RETURN_VALUES: &str = "ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW";

pub(super) fn get_item(store: &mut Store, mut members: Members) -> Result<Value, DynamoDbError> {
    let table = members.required_text("TableName")?;
    let key = members.required_item("Key")?;
    let is_consistent = members.boolean("ConsistentRead")?.unwrap_or_default();
    members.finish()?;
    let table = store.table(&table)?;
    let item = table.get(&table.key(&key)?);
    let (answer, size) = match item {
        Some(item) => (json!({ "Item": item_to_json(item) }), item_size(item)),
        None => (json!({}), 0),
    };
    store.metered.read(size, is_consistent);
    Ok(answer)
}

pub(super) fn put_item(store: &mut Store, members: Members) -> Result<Value, DynamoDbError> {
    write(store, Kind::Put, members, &["NONE", "ALL_OLD"])
}

pub(super) fn update_item(store: &mut Store, members: Members) -> Result<Value, DynamoDbError> {
    write(store, Kind::Update, members, &["NONE", "ALL_OLD", "ALL_NEW"])
}

pub(super) fn delete_item(store: &mut Store, members: Members) -> Result<Value, DynamoDbError> {
    write(store, Kind::Delete, members, &["NONE", "ALL_OLD"])
}

fn write(
    store: &mut Store,
    kind: Kind,
    mut members: Members,
    return_values: &[&'static str],
) -> Result<Value, DynamoDbError> {
    let wanted = members.choice("ReturnValues", return_values, RETURN_VALUES)?;
    let write = Write::parse(kind, &mut members)?;
    members.finish()?;
    let table = store.table(&write.table)?;
    let key = write.key(table)?;
    let Attempt { old, new, units } = write.attempt(table.get(&key));
    if !matches!(new, Err(DynamoDbError::Validation(_))) {
        store.metered.writes += units;
    }
    let new = new?;
    let returned = match wanted {
        Some("ALL_OLD") => old,
        Some("ALL_NEW") => new.clone(),
        _ => None,
    };
    store.tables.get_mut(&write.table).expect("found before").put(key, new);
    Ok(returned.map_or_else(|| json!({}), |item| json!({ "Attributes": item_to_json(&item) })))
}

pub(super) fn query(store: &mut Store, mut members: Members) -> Result<Value, DynamoDbError> {
    let name = members.required_text("TableName")?;
    let is_consistent = members.boolean("ConsistentRead")?.unwrap_or_default();
    let is_forward = members.boolean("ScanIndexForward")?.unwrap_or(true);
    let limit = limit(&mut members)?;
    let start = members.take("ExclusiveStartKey").map(|key| parse_item(&key)).transpose()?;
    let condition = members.text("KeyConditionExpression")?;
    let names = members.take("ExpressionAttributeNames");
    let values = members.take("ExpressionAttributeValues");
    members.finish()?;
    let Some(condition) = condition else {
        return invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        );
    };
    let table = store.table(&name)?;
    let mut placeholders = Placeholders::parse(names.as_ref(), values.as_ref())?;
    let (hash_key, range_key) = (&table.config.hash_key, &table.config.range_key);
    let condition = KeyCondition::parse(&condition, &mut placeholders, hash_key, range_key)?;
    placeholders.check_all_used()?;
    let start = start.map(|start| start_key(table, &condition, &start)).transpose()?;

    let (mut items, mut size) = (Vec::new(), 0);
    let mut last = None;
    for item in table.query(&condition, start.as_ref().map(|key| key.range.as_str()), is_forward) {
        size += item_size(item);
        items.push(item_to_json(item));
        if items.len() >= limit || size >= MAX_PAGE {
            last = Some(item_to_json(&table.key_attributes(item)));
            break;
        }
    }
    let mut answer = json!({ "Items": items, "Count": items.len(), "ScannedCount": items.len() });
    if let Some(last) = last {
        answer["LastEvaluatedKey"] = last;
    }
    store.metered.read(size, is_consistent);
    Ok(answer)
}

fn limit(members: &mut Members) -> Result<usize, DynamoDbError> {
    let Some(limit) = members.take("Limit") else { return Ok(usize::MAX) };
    match limit.as_i64().ok_or_else(|| mistyped(&limit, "Integer"))? {
        ..1 => invalid(
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value \
             greater than or equal to 1",
        ),
        limit => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
    }
}

fn start_key(table: &Table, condition: &KeyCondition, start: &Item) -> Result<Key, DynamoDbError> {
    let Ok(start) = table.key(start) else { return invalid("The provided starting key is invalid") };
    if start.hash != condition.hash {
        return invalid("The provided starting key is outside query boundaries based on provided conditions");
    }
    if !matches(condition, &start.range) {
        return invalid("The provided starting key does not match the range key predicate");
    }
    Ok(start)
}

fn invalid<T>(message: &str) -> Result<T, DynamoDbError> {
    Err(DynamoDbError::Validation(message.to_owned()))
}
