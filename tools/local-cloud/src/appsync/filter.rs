//! Enhanced subscription filters ("Defining enhanced subscription filters in AWS AppSync"): groups are joined by
//! OR, the conditions of a group by AND.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Which published events a subscription hears.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter(Vec<Vec<Condition>>);

/// Why a filter is refused when a client subscribes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilterError {
    #[error("the subscription filter is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the subscription filter's operator {0} is not supported here")]
    Operator(String),
    #[error("the subscription filter's operator {0} needs a list")]
    NotAList(String),
    #[error("the subscription filter has an empty group")]
    Empty,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Eq(Value),
    Ne(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
}

impl Filter {
    /// What AppSync does without a filter from the resolver: each argument given must equal the field of its name.
    pub(crate) fn from_arguments(arguments: &Map<String, Value>) -> Self {
        let conditions = arguments
            .iter()
            .map(|(field, value)| Condition { field: field.clone(), test: Test::Eq(value.clone()) });
        Self(vec![conditions.collect()])
    }

    /// `{"filterGroup": [{"filters": [{"fieldName", "operator", "value"}]}]}`
    pub(crate) fn parse(filter: &Value) -> Result<Self, FilterError> {
        let wire = Wire::deserialize(filter)?;
        if wire.groups.is_empty() || wire.groups.iter().any(|group| group.filters.is_empty()) {
            return Err(FilterError::Empty);
        }
        let groups = wire.groups.into_iter().map(|group| group.filters.into_iter().map(condition).collect());
        Ok(Self(groups.collect::<Result<_, _>>()?))
    }

    /// A field that the mutation did not select is not there, and matches nothing.
    pub(crate) fn matches(&self, event: &Map<String, Value>) -> bool {
        self.0.iter().any(|group| group.iter().all(|condition| condition.holds(event)))
    }
}

impl Condition {
    fn holds(&self, event: &Map<String, Value>) -> bool {
        let Some(actual) = event.get(&self.field) else { return false };
        match &self.test {
            Test::Eq(value) => actual == value,
            Test::Ne(value) => actual != value,
            Test::In(values) => values.contains(actual),
            Test::NotIn(values) => !values.contains(actual),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "filterGroup")]
    groups: Vec<WireGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireGroup {
    filters: Vec<WireCondition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireCondition {
    field_name: String,
    operator: String,
    // Required, even if null: `undefined` in a resolver leaves it out, and must not become a filter.
    value: Value,
}

fn condition(wire: WireCondition) -> Result<Condition, FilterError> {
    let list = |value: Value, operator: &str| match value {
        Value::Array(values) => Ok(values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(FilterError::NotAList(operator.to_owned()))
        }
    };
    let test = match wire.operator.as_str() {
        "eq" => Test::Eq(wire.value),
        "ne" => Test::Ne(wire.value),
        "in" => Test::In(list(wire.value, "in")?),
        "notIn" => Test::NotIn(list(wire.value, "notIn")?),
        other => return Err(FilterError::Operator(other.to_owned())),
    };
    Ok(Condition { field: wire.field_name, test })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(groups: &[&[(&str, &str, Value)]]) -> Result<Filter, FilterError> {
        let group = |conditions: &&[(&str, &str, Value)]| {
            let filters = conditions.iter();
            json!({"filters": filters.map(|(f, o, v)| json!({"fieldName": f, "operator": o, "value": v})).collect::<Vec<_>>()})
        };
        Filter::parse(&json!({"filterGroup": groups.iter().map(group).collect::<Vec<_>>()}))
    }

    #[track_caller]
    fn check(groups: &[&[(&str, &str, Value)]], event: &Value, expect: bool) {
        let event = event.as_object().expect("an object");
        assert_eq!(filter(groups).expect("a filter").matches(event), expect, "{event:?}");
    }

    #[test]
    fn groups_are_alternatives_and_conditions_add_up() {
        let both: &[(&str, &str, Value)] = &[("s", "eq", json!("1")), ("o", "eq", json!("me"))];
        check(&[both], &json!({"s": "1", "o": "me"}), true);
        check(&[both], &json!({"s": "1", "o": "you"}), false);
        check(&[both], &json!({"s": "1"}), false);
        check(&[both, &[("s", "eq", json!("2"))]], &json!({"s": "2"}), true);
        check(&[&[("s", "eq", json!("1"))]], &json!({"s": 1}), false);
        check(&[&[("s", "ne", json!("1"))]], &json!({"s": "2"}), true);
        check(&[&[("s", "ne", json!("1"))]], &json!({}), false);
        check(&[&[("s", "in", json!(["1", "2"]))]], &json!({"s": "2"}), true);
        check(&[&[("s", "notIn", json!(["1", "2"]))]], &json!({"s": "2"}), false);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for operator in ["le", "lt", "ge", "gt", "contains", "beginsWith", "between", "EQ", ""] {
            assert!(matches!(filter(&[&[("s", operator, json!(1))]]), Err(FilterError::Operator(_))));
        }
        assert!(matches!(filter(&[&[("s", "in", json!("1"))]]), Err(FilterError::NotAList(_))));
        assert!(matches!(filter(&[]), Err(FilterError::Empty)));
        assert!(matches!(filter(&[&[]]), Err(FilterError::Empty)));
        for malformed in [
            json!({}),
            json!({"filterGroup": [{"filters": [{"fieldName": "s", "operator": "eq"}]}]}),
            json!({"filterGroup": [{"filters": [], "or": []}]}),
        ] {
            assert!(matches!(Filter::parse(&malformed), Err(FilterError::Malformed(_))), "{malformed}");
        }
    }
}
