//! Attribute values and items, between their JSON and what expressions work on.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{error::DynamoDbError, number::Number};

/// By attribute name.
pub(super) type Item = BTreeMap<String, AttributeValue>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum AttributeValue {
    S(String),
    N(Number),
    Bool(bool),
    Null,
    M(Item),
    L(Vec<AttributeValue>),
}

/// Levels of maps and lists in each other.
const MAX_DEPTH: usize = 32;

impl AttributeValue {
    pub(super) fn parse(json: &Value) -> Result<Self, DynamoDbError> {
        parse(json, 1)
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_string() }),
            Self::Bool(value) => json!({ "BOOL": value }),
            Self::Null => json!({ "NULL": true }),
            Self::M(item) => json!({ "M": item_to_json(item) }),
            Self::L(values) => json!({ "L": values.iter().map(Self::to_json).collect::<Value>() }),
        }
    }

    /// As in JSON, where it is the only member.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
        }
    }

    /// In bytes: "DynamoDB item sizes and formats".
    fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::Bool(_) | Self::Null => 1,
            Self::M(item) => 3 + item_size(item) + item.len(),
            Self::L(values) => 3 + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
        }
    }
}

pub(super) fn parse_item(json: &Value) -> Result<Item, DynamoDbError> {
    attributes(json, 1)
}

pub(super) fn item_to_json(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.clone(), value.to_json())).collect::<Map<_, _>>().into()
}

/// In bytes, attribute names included.
pub(super) fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

fn attributes(json: &Value, depth: usize) -> Result<Item, DynamoDbError> {
    let members = json.as_object().ok_or_else(|| mistyped(json, "Map"))?;
    members.iter().map(|(name, value)| Ok((name.clone(), parse(value, depth)?))).collect()
}

fn parse(json: &Value, depth: usize) -> Result<AttributeValue, DynamoDbError> {
    let members = json.as_object().ok_or_else(|| mistyped(json, "AttributeValue"))?;
    let mut members = members.iter().filter(|(_, value)| !value.is_null());
    let Some((kind, value)) = members.next() else {
        return invalid(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        );
    };
    if members.next().is_some() {
        return invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
             datatypes",
        );
    }
    let deeper = || match depth {
        MAX_DEPTH.. => invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
             supported limit",
        ),
        depth => Ok(depth + 1),
    };
    Ok(match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().ok_or_else(|| mistyped(value, "String"))?.to_owned()),
        "N" => AttributeValue::N(Number::parse(value.as_str().ok_or_else(|| mistyped(value, "String"))?)?),
        "BOOL" => AttributeValue::Bool(value.as_bool().ok_or_else(|| mistyped(value, "Boolean"))?),
        "NULL" if value.as_bool().ok_or_else(|| mistyped(value, "Boolean"))? => AttributeValue::Null,
        "NULL" => {
            return invalid(
                "One or more parameter values were invalid: Null attribute value types must have the value of true",
            );
        }
        "M" => AttributeValue::M(attributes(value, deeper()?)?),
        "L" => {
            let values = value.as_array().ok_or_else(|| mistyped(value, "List"))?;
            let depth = deeper()?;
            AttributeValue::L(values.iter().map(|value| parse(value, depth)).collect::<Result<_, _>>()?)
        }
        kind => return invalid(&format!("The type {kind} is not available in this local service")),
    })
}

fn invalid<T>(message: &str) -> Result<T, DynamoDbError> {
    Err(DynamoDbError::Validation(message.to_owned()))
}

/// In the words of AWS's parser.
pub(super) fn mistyped(json: &Value, wanted: &str) -> DynamoDbError {
    DynamoDbError::Serialization(match json {
        Value::Null => "Unexpected value type in payload".to_owned(),
        Value::Bool(true) => format!("TRUE_VALUE cannot be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE cannot be converted to {wanted}"),
        Value::Number(number) if number.is_f64() => format!("DECIMAL_VALUE cannot be converted to {wanted}"),
        Value::Number(_) => format!("NUMBER_VALUE cannot be converted to {wanted}"),
        Value::String(_) => format!("STRING_VALUE cannot be converted to {wanted}"),
        Value::Array(_) => format!("Unrecognized collection type class {wanted}"),
        Value::Object(_) => "Start of structure or map found where not expected".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_developer_guide() {
        for (value, size) in [
            (json!({"S": "Grüße"}), 7),
            (json!({"S": ""}), 0),
            (json!({"N": "12345"}), 4),
            (json!({"N": "-120000"}), 2),
            (json!({"N": "0"}), 1),
            (json!({"BOOL": false}), 1),
            (json!({"NULL": true}), 1),
            (json!({"L": []}), 3),
            (json!({"L": [{"S": "xy"}, {"N": "1"}]}), 3 + (1 + 2) + (1 + 2)),
            (json!({"M": {"a": {"S": "xy"}, "bc": {"M": {}}}}), 3 + (1 + 1 + 2) + (1 + 2 + 3)),
        ] {
            let item = parse_item(&json!({"name": value})).unwrap();
            assert_eq!(item_size(&item), "name".len() + size, "{value}");
        }
    }
}
