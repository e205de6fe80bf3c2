//! What changes an item: alone, or with others in a transaction.

use super::{
    error::DynamoDbError,
    expression::{Placeholders, condition::Condition, update::Update},
    request::Members,
    table::{Key, Table},
    value::{Item, item_size},
};

/// In bytes, names included.
const MAX_ITEM: usize = 400 * 1024;

/// A write that has been read and not been tried.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) table: String,
    action: Action,
    condition: Option<Condition>,
    returns_item_on_failure: bool,
}

#[derive(Debug)]
enum Action {
    Put(Item),
    Update { key: Item, update: Update },
    Delete { key: Item },
    ConditionCheck { key: Item },
}

/// The actions by the names that they have in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Update,
    Delete,
    ConditionCheck,
}

/// What would become of an item.
pub(super) struct Attempt {
    pub(super) old: Option<Item>,
    pub(super) new: Result<Option<Item>, DynamoDbError>,
    /// Of 1 KB, for a write that is no transaction's. A condition that fails costs as much.
    pub(super) units: u64,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Put, Self::Update, Self::Delete, Self::ConditionCheck];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Put => "Put",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::ConditionCheck => "ConditionCheck",
        }
    }

    pub(super) fn permission(self) -> &'static str {
        match self {
            Self::Put => "dynamodb:PutItem",
            Self::Update => "dynamodb:UpdateItem",
            Self::Delete => "dynamodb:DeleteItem",
            Self::ConditionCheck => "dynamodb:ConditionCheckItem",
        }
    }
}

impl Write {
    /// Takes the members that the single operation and the item of a transaction have both.
    pub(super) fn parse(kind: Kind, members: &mut Members) -> Result<Self, DynamoDbError> {
        let table = members.required_text("TableName")?;
        let returns_item_on_failure =
            members.choice("ReturnValuesOnConditionCheckFailure", &["NONE", "ALL_OLD"], "ALL_OLD, NONE")?;
        let condition = members.text("ConditionExpression")?;
        let update = if kind == Kind::Update { members.text("UpdateExpression")? } else { None };
        let names = members.take("ExpressionAttributeNames");
        let values = members.take("ExpressionAttributeValues");
        if condition.is_none() && update.is_none() {
            let expressions = if kind == Kind::Update {
                "UpdateExpression and ConditionExpression are null"
            } else {
                "ConditionExpression is null"
            };
            if names.is_some() {
                return invalid("ExpressionAttributeNames can only be specified when using expressions");
            }
            if values.is_some() {
                return invalid(&format!(
                    "ExpressionAttributeValues can only be specified when using expressions: {expressions}"
                ));
            }
        }
        let mut placeholders = Placeholders::parse(names.as_ref(), values.as_ref())?;
        let action = match kind {
            Kind::Put => Action::Put(members.required_item("Item")?),
            Kind::Update => {
                let key = members.required_item("Key")?;
                let update = update.map(|text| Update::parse(&text, &mut placeholders)).transpose()?;
                Action::Update { key, update: update.unwrap_or_default() }
            }
            Kind::Delete => Action::Delete { key: members.required_item("Key")? },
            Kind::ConditionCheck => Action::ConditionCheck { key: members.required_item("Key")? },
        };
        if kind == Kind::ConditionCheck && condition.is_none() {
            return Err(members.constraint("ConditionExpression", "null", "not be null"));
        }
        let condition = condition
            .map(|text| Condition::parse("ConditionExpression", &text, &mut placeholders))
            .transpose()?;
        placeholders.check_all_used()?;
        if let Action::Put(item) = &action
            && item_size(item) > MAX_ITEM
        {
            return invalid("Item size has exceeded the maximum allowed size");
        }
        let returns_item_on_failure = returns_item_on_failure == Some("ALL_OLD");
        Ok(Self { table, action, condition, returns_item_on_failure })
    }

    /// Which item it is for, if it fits the table.
    pub(super) fn key(&self, table: &Table) -> Result<Key, DynamoDbError> {
        match &self.action {
            Action::Put(item) => table.key_of_item(item),
            Action::Delete { key } | Action::ConditionCheck { key } => table.key(key),
            Action::Update { key, update } => {
                let found = table.key(key)?;
                for name in [&table.config.hash_key, &table.config.range_key] {
                    if update.paths().any(|path| path[0] == *name) {
                        return invalid(&format!(
                            "One or more parameter values were invalid: Cannot update attribute {name}. This \
                             attribute is part of the key"
                        ));
                    }
                }
                Ok(found)
            }
        }
    }

    /// An update without an expression, which only makes sure that there is an item.
    pub(super) fn changes_nothing(&self) -> bool {
        match &self.action {
            Action::Update { update, .. } => update.paths().next().is_none(),
            Action::Put(_) | Action::Delete { .. } | Action::ConditionCheck { .. } => false,
        }
    }

    /// In bytes, for the limit of a transaction.
    pub(super) fn payload(&self) -> usize {
        match &self.action {
            Action::Put(item) => item_size(item),
            Action::Update { key, .. } | Action::Delete { key } | Action::ConditionCheck { key } => {
                item_size(key)
            }
        }
    }

    pub(super) fn attempt(&self, old: Option<&Item>) -> Attempt {
        let holds = self.condition.as_ref().is_none_or(|condition| condition.holds(old));
        let applied = self.applied(old);
        let new_size = applied.as_ref().ok().and_then(|new| new.as_ref().map(item_size));
        let size = old.map(item_size).into_iter().chain(new_size).max().unwrap_or_default();
        let new = if holds {
            applied
        } else {
            let item = old.filter(|_| self.returns_item_on_failure);
            Err(DynamoDbError::ConditionalCheckFailed(item.cloned()))
        };
        Attempt { old: old.cloned(), new, units: (size.div_ceil(1024) as u64).max(1) }
    }

    fn applied(&self, old: Option<&Item>) -> Result<Option<Item>, DynamoDbError> {
        match &self.action {
            Action::Put(item) => Ok(Some(item.clone())),
            Action::Delete { .. } => Ok(None),
            Action::ConditionCheck { .. } => Ok(old.cloned()),
            Action::Update { update, .. } if old.is_none() && !update.creates() => Ok(None),
            Action::Update { key, update } => {
                let new = update.apply(old, key)?;
                if item_size(&new) > MAX_ITEM {
                    return invalid("Item size to update has exceeded the maximum allowed size");
                }
                Ok(Some(new))
            }
        }
    }
}

fn invalid<T>(message: &str) -> Result<T, DynamoDbError> {
    Err(DynamoDbError::Validation(message.to_owned()))
}
