//! The items of a table, by their two keys.

use std::{
    collections::BTreeMap,
    ops::{
        Bound::{self, Excluded, Included, Unbounded},
        RangeBounds,
    },
};

use super::{
    TableConfig,
    error::DynamoDbError,
    expression::{Comparator, key_condition::KeyCondition},
    value::{AttributeValue, Item},
};

const MAX_HASH_KEY: usize = 2048;
const MAX_RANGE_KEY: usize = 1024;

pub(super) struct Table {
    pub(super) config: TableConfig,
    /// Strings are ordered by their bytes, as in DynamoDB.
    partitions: BTreeMap<String, BTreeMap<String, Item>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) hash: String,
    pub(super) range: String,
}

impl Table {
    pub(super) fn new(config: TableConfig) -> Self {
        Self { config, partitions: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Item> {
        self.partitions.get(&key.hash)?.get(&key.range)
    }

    /// Without an item there is none any more.
    pub(super) fn put(&mut self, key: Key, item: Option<Item>) {
        let partition = self.partitions.entry(key.hash).or_default();
        match item {
            Some(item) => drop(partition.insert(key.range, item)),
            None => drop(partition.remove(&key.range)),
        }
    }

    /// A partition's items in the order of their range keys.
    pub(super) fn partition(&self, hash: &str) -> impl Iterator<Item = &Item> {
        self.partitions.get(hash).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn delete_if(&mut self, mut over: impl FnMut(&Item) -> bool) {
        for partition in self.partitions.values_mut() {
            partition.retain(|_, item| !over(item));
        }
    }

    /// What matches the condition, from behind `after` on, which matches it as well.
    pub(super) fn query<'t>(
        &'t self,
        condition: &KeyCondition,
        after: Option<&str>,
        forward: bool,
    ) -> Box<dyn Iterator<Item = &'t Item> + 't> {
        let (mut lower, mut upper) = bounds(condition);
        if let Some(after) = after {
            *(if forward { &mut lower } else { &mut upper }) = Excluded(after);
        }
        let Some(partition) = self.partitions.get(&condition.hash) else {
            return Box::new(std::iter::empty());
        };
        let items = partition.range::<str, _>((lower, upper)).map(|(_, item)| item);
        if forward { Box::new(items) } else { Box::new(items.rev()) }
    }

    /// Of a whole item that is to be put.
    pub(super) fn key_of_item(&self, item: &Item) -> Result<Key, DynamoDbError> {
        let key = |name: &str, most: usize| match item.get(name) {
            None => invalid(&format!(
                "One or more parameter values were invalid: Missing the key {name} in the item"
            )),
            Some(AttributeValue::S(text)) => checked(name, text, most),
            Some(other) => invalid(&format!(
                "One or more parameter values were invalid: Type mismatch for key {name} expected: S actual: {}",
                other.type_name()
            )),
        };
        Ok(Key {
            hash: key(&self.config.hash_key, MAX_HASH_KEY)?,
            range: key(&self.config.range_key, MAX_RANGE_KEY)?,
        })
    }

    /// Of `Key` and `ExclusiveStartKey`, which have nothing else.
    pub(super) fn key(&self, key: &Item) -> Result<Key, DynamoDbError> {
        let text = |name: &str, most: usize| match key.get(name) {
            Some(AttributeValue::S(text)) if key.len() == 2 => checked(name, text, most),
            _ => invalid("The provided key element does not match the schema"),
        };
        Ok(Key {
            hash: text(&self.config.hash_key, MAX_HASH_KEY)?,
            range: text(&self.config.range_key, MAX_RANGE_KEY)?,
        })
    }

    /// The keys of an item that is in the table.
    pub(super) fn key_attributes(&self, item: &Item) -> Item {
        let names = [&self.config.hash_key, &self.config.range_key];
        names.into_iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
    }
}

/// Whether a range key is in the bounds of a condition.
pub(super) fn matches(condition: &KeyCondition, range: &str) -> bool {
    RangeBounds::<str>::contains(&bounds(condition), range)
}

fn bounds(condition: &KeyCondition) -> (Bound<&str>, Bound<&str>) {
    let Some((comparator, value)) = &condition.range else { return (Unbounded, Unbounded) };
    let value = value.as_str();
    match comparator {
        Comparator::Equal => (Included(value), Included(value)),
        Comparator::Less => (Unbounded, Excluded(value)),
        Comparator::LessOrEqual => (Unbounded, Included(value)),
        Comparator::Greater => (Excluded(value), Unbounded),
        Comparator::GreaterOrEqual => (Included(value), Unbounded),
        // A key condition is never read as one.
        Comparator::NotEqual => (Unbounded, Unbounded),
    }
}

fn checked(name: &str, text: &str, most: usize) -> Result<String, DynamoDbError> {
    if text.is_empty() {
        return invalid(&format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty string value. Key: {name}"
        ));
    }
    if text.len() > most {
        // AWS's own words, blanks and all.
        return invalid(if most == MAX_HASH_KEY {
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
        } else {
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit \
             of 1024 bytes"
        });
    }
    Ok(text.to_owned())
}

fn invalid<T>(message: &str) -> Result<T, DynamoDbError> {
    Err(DynamoDbError::Validation(message.to_owned()))
}
