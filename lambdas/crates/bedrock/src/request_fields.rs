use std::str::FromStr;

use aws_smithy_types::{Document, Number};
use serde_json::Value;

/// `additionalModelRequestFields` of the Converse API, a JSON object, such as `{"thinking": {"type": "disabled"}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestFields(pub(crate) Document);

/// A setting that is not what it has to be.
#[derive(Debug, thiserror::Error)]
pub enum NotRequestFields {
    #[error("not JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("not a JSON object")]
    NotAnObject,
}

impl FromStr for RequestFields {
    type Err = NotRequestFields;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match serde_json::from_str(text)? {
            object @ Value::Object(_) => Ok(Self(document(object))),
            _ => Err(NotRequestFields::NotAnObject),
        }
    }
}

fn document(value: Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(flag),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(natural), _) => Number::PosInt(natural),
            (None, Some(integer)) => Number::NegInt(integer),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text),
        Value::Array(items) => Document::Array(items.into_iter().map(document).collect()),
        Value::Object(fields) => {
            Document::Object(fields.into_iter().map(|(name, value)| (name, document(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_as_it_is_and_nothing_else() {
        let RequestFields(fields) = r#"{"thinking": {"type": "disabled", "n": -1}}"#.parse().unwrap();
        let thinking = &fields.as_object().unwrap()["thinking"];
        assert_eq!(thinking.as_object().unwrap()["n"], Document::Number(Number::NegInt(-1)));
        for wrong in ["", "[]", "1", "{", "\"x\""] {
            assert!(wrong.parse::<RequestFields>().is_err(), "{wrong}");
        }
    }
}
