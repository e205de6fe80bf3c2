//! The members of a request. What is not asked for is not known, and a request with it is refused.

use serde_json::{Map, Value};

use super::{
    error::DynamoDbError,
    value::{Item, mistyped, parse_item},
};

pub(super) struct Members {
    /// Where they are in the request, as AWS names the place: `transactItems.1.member.put.`.
    at: String,
    members: Map<String, Value>,
}

impl Members {
    pub(super) fn parse(body: &[u8]) -> Result<Self, DynamoDbError> {
        // The position is enough: serde's own words may quote the value, which can be an answer.
        let json: Value = serde_json::from_slice(body).map_err(|error| {
            DynamoDbError::Serialization(format!("line {}, column {}", error.line(), error.column()))
        })?;
        Self::of(json, String::new())
    }

    pub(super) fn of(json: Value, at: String) -> Result<Self, DynamoDbError> {
        match json {
            Value::Object(members) => Ok(Self { at, members }),
            json => Err(mistyped(&json, "Map")),
        }
    }

    /// `null` counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, DynamoDbError> {
        self.take(name)
            .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| mistyped(&value, "String")))
            .transpose()
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, DynamoDbError> {
        self.take(name).map(|value| value.as_bool().ok_or_else(|| mistyped(&value, "Boolean"))).transpose()
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, DynamoDbError> {
        let text = self.text(name)?;
        text.ok_or_else(|| self.missing(name))
    }

    pub(super) fn required_item(&mut self, name: &str) -> Result<Item, DynamoDbError> {
        match self.take(name) {
            Some(json) => parse_item(&json),
            None => Err(self.missing(name)),
        }
    }

    pub(super) fn required(&mut self, name: &str) -> Result<Value, DynamoDbError> {
        self.take(name).ok_or_else(|| self.missing(name))
    }

    /// One of AWS's values, of which only the first ones are available here.
    pub(super) fn choice(
        &mut self,
        name: &str,
        available: &[&'static str],
        all: &str,
    ) -> Result<Option<&'static str>, DynamoDbError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some(found) = available.iter().find(|choice| **choice == text) {
            return Ok(Some(found));
        }
        if all.split(", ").any(|choice| choice == text) {
            return Err(DynamoDbError::Validation(format!(
                "{name} {text} is not available in this local service"
            )));
        }
        Err(self.constraint(name, &format!("'{text}'"), &format!("satisfy enum value set: [{all}]")))
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), DynamoDbError> {
        match self.members.into_iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(DynamoDbError::Validation(format!(
                "The parameter {}{name} is not available in this local service",
                self.at
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn constraint(&self, name: &str, value: &str, rule: &str) -> DynamoDbError {
        let mut name = name.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        DynamoDbError::Validation(format!(
            "1 validation error detected: Value {value} at '{}{name}' failed to satisfy constraint: Member must {rule}",
            self.at
        ))
    }

    fn missing(&self, name: &str) -> DynamoDbError {
        self.constraint(name, "null", "not be null")
    }
}
