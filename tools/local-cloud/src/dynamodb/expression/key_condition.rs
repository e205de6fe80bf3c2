//! Key conditions: one partition, and which of its range keys.

use super::{
    super::{error::DynamoDbError, value::AttributeValue},
    Placeholders,
    condition::{Condition, Operand},
    token::Comparator,
};

/// `hash = :value AND range > :value`, in any order.
#[derive(Debug)]
pub(in crate::dynamodb) struct KeyCondition {
    pub(in crate::dynamodb) hash: String,
    pub(in crate::dynamodb) range: Option<(Comparator, String)>,
}

impl KeyCondition {
    pub(in crate::dynamodb) fn parse(
        text: &str,
        placeholders: &mut Placeholders,
        hash_key: &str,
        range_key: &str,
    ) -> Result<Self, DynamoDbError> {
        let mut comparisons = Vec::new();
        flatten(Condition::parse("KeyConditionExpression", text, placeholders)?, &mut comparisons)?;
        let names: Vec<&str> = comparisons.iter().map(|(name, ..)| name.as_str()).collect();
        if names.iter().enumerate().any(|(i, name)| names[..i].contains(name)) {
            return invalid("KeyConditionExpressions must only contain one condition per key");
        }
        if names.len() > 2 {
            return invalid("Conditions can be of length 1 or 2 only");
        }
        let mut take = |key: &str| {
            let at = comparisons.iter().position(|(name, ..)| name == key)?;
            let (_, comparator, value) = comparisons.swap_remove(at);
            Some((comparator, value))
        };
        let (hash, range) = (take(hash_key), take(range_key));
        let Some(hash) = hash else {
            return invalid(&format!("Query condition missed key schema element: {hash_key}"));
        };
        if !comparisons.is_empty() {
            return invalid(&format!("Query condition missed key schema element: {range_key}"));
        }
        if hash.0 != Comparator::Equal {
            return invalid("Query key condition not supported");
        }
        let range = match range {
            Some((comparator, value)) => Some((comparator, text_of(value)?)),
            None => None,
        };
        Ok(Self { hash: text_of(hash.1)?, range })
    }
}

fn flatten(
    condition: Condition,
    comparisons: &mut Vec<(String, Comparator, AttributeValue)>,
) -> Result<(), DynamoDbError> {
    let operator = |name: &str| invalid(&format!("Invalid operator used in KeyConditionExpression: {name}"));
    match condition {
        Condition::And(one, other) => {
            flatten(*one, comparisons)?;
            flatten(*other, comparisons)
        }
        Condition::Or(..) => operator("OR"),
        Condition::Not(_) => operator("NOT"),
        Condition::Exists(_) => operator("attribute_exists"),
        Condition::NotExists(_) => operator("attribute_not_exists"),
        Condition::Compare(_, Comparator::NotEqual, _) => operator("<>"),
        Condition::Compare(one, comparator, other) => {
            let (path, comparator, value) = match (one, other) {
                (Operand::Path(path), Operand::Value(value)) => (path, comparator, value),
                (Operand::Value(value), Operand::Path(path)) => (path, comparator.reversed(), value),
                (Operand::Path(_), Operand::Path(_)) => {
                    return invalid(
                        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
                    );
                }
                (Operand::Size(_), _) | (_, Operand::Size(_)) => {
                    return invalid("KeyConditionExpressions cannot contain nested operations");
                }
                (Operand::Value(_), Operand::Value(_)) => {
                    return invalid(
                        "Invalid condition in KeyConditionExpression: No key attribute specified",
                    );
                }
            };
            let [name] = <[String; 1]>::try_from(path).or_else(|_| {
                invalid("KeyConditionExpressions cannot have conditions on nested attributes")
            })?;
            comparisons.push((name, comparator, value));
            Ok(())
        }
    }
}

fn text_of(value: AttributeValue) -> Result<String, DynamoDbError> {
    match value {
        AttributeValue::S(text) => Ok(text),
        AttributeValue::N(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null
        | AttributeValue::M(_)
        | AttributeValue::L(_) => invalid(
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    }
}

fn invalid<T>(message: &str) -> Result<T, DynamoDbError> {
    Err(DynamoDbError::Validation(message.to_owned()))
}
