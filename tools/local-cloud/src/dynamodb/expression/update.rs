//! Updates ("Update expressions"). `DELETE` and `list_append`, which are for sets and lists, are refused.

use super::{
    super::{
        error::DynamoDbError,
        number::Number,
        value::{AttributeValue, Item},
    },
    Parser, Path, Placeholders, find, quoted,
    token::TokenKind,
};

#[derive(Debug, Default)]
pub(in crate::dynamodb) struct Update {
    sets: Vec<(Path, SetValue)>,
    removes: Vec<Path>,
    adds: Vec<(Path, Number)>,
}

#[derive(Debug)]
enum SetValue {
    Operand(Operand),
    Sum(Operand, Operand),
    Difference(Operand, Operand),
}

#[derive(Debug)]
enum Operand {
    Path(Path),
    Value(AttributeValue),
    IfNotExists(Path, Box<Operand>),
}

impl Update {
    pub(in crate::dynamodb) fn parse(
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, DynamoDbError> {
        let mut parser = Parser::new("UpdateExpression", text, placeholders)?;
        let mut update = Self::default();
        let mut sections = Vec::new();
        while !parser.take(TokenKind::End) {
            let section = section(&mut parser)?;
            if sections.contains(&section) {
                return Err(parser.invalid(&format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                )));
            }
            sections.push(section);
            loop {
                update.action(section, &mut parser)?;
                if !parser.take(TokenKind::Comma) {
                    break;
                }
            }
        }
        update.check_overlaps(&parser)?;
        Ok(update)
    }

    /// The attributes that it changes.
    pub(in crate::dynamodb) fn paths(&self) -> impl Iterator<Item = &Path> {
        let sets = self.sets.iter().map(|(path, _)| path);
        sets.chain(&self.removes).chain(self.adds.iter().map(|(path, _)| path))
    }

    /// Whether it makes an item where there is none: to remove something does not.
    pub(in crate::dynamodb) fn creates(&self) -> bool {
        !self.sets.is_empty() || !self.adds.is_empty() || self.removes.is_empty()
    }

    /// Every value is read from the item as it was before. `key` is what a new item begins with.
    pub(in crate::dynamodb) fn apply(&self, old: Option<&Item>, key: &Item) -> Result<Item, DynamoDbError> {
        let old = old.unwrap_or(key);
        let values = self.sets.iter().map(|(_, value)| value.evaluate(old));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let mut item = old.clone();
        for ((path, _), value) in self.sets.iter().zip(values) {
            put(&mut item, path, value)?;
        }
        for path in &self.removes {
            let (members, name) = parent(&mut item, path)?;
            members.remove(name);
        }
        for (path, number) in &self.adds {
            let sum = match find(old, path) {
                None => *number,
                Some(AttributeValue::N(old)) => old.plus(*number)?,
                Some(_) => return Err(mistyped()),
            };
            put(&mut item, path, AttributeValue::N(sum))?;
        }
        Ok(item)
    }

    fn action(&mut self, section: &str, parser: &mut Parser<'_>) -> Result<(), DynamoDbError> {
        let path = parser.path()?;
        match section {
            "SET" => self.sets.push((path, assigned(parser)?)),
            "ADD" => self.adds.push((path, added(parser)?)),
            _ => self.removes.push(path),
        }
        Ok(())
    }

    fn check_overlaps(&self, parser: &Parser<'_>) -> Result<(), DynamoDbError> {
        let paths: Vec<&Path> = self.paths().collect();
        for (i, one) in paths.iter().enumerate() {
            if let Some(other) = paths[i + 1..].iter().find(|other| {
                let common = one.len().min(other.len());
                one[..common] == other[..common]
            }) {
                return Err(parser.invalid(&format!(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; path \
                     one: {}, path two: {}",
                    quoted(one),
                    quoted(other)
                )));
            }
        }
        Ok(())
    }
}

impl SetValue {
    fn evaluate(&self, old: &Item) -> Result<AttributeValue, DynamoDbError> {
        let number = |operand: &Operand| match operand.evaluate(old)? {
            AttributeValue::N(number) => Ok(number),
            AttributeValue::S(_)
            | AttributeValue::Bool(_)
            | AttributeValue::Null
            | AttributeValue::M(_)
            | AttributeValue::L(_) => Err(mistyped()),
        };
        match self {
            Self::Operand(operand) => operand.evaluate(old),
            Self::Sum(one, other) => Ok(AttributeValue::N(number(one)?.plus(number(other)?)?)),
            Self::Difference(one, other) => Ok(AttributeValue::N(number(one)?.minus(number(other)?)?)),
        }
    }
}

impl Operand {
    fn evaluate(&self, old: &Item) -> Result<AttributeValue, DynamoDbError> {
        match self {
            Self::Path(path) => find(old, path).cloned().ok_or_else(|| {
                invalid("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, default) => {
                find(old, path).map_or_else(|| default.evaluate(old), |found| Ok(found.clone()))
            }
        }
    }

    /// Its type, if that does not depend on the item.
    fn known_type(&self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value.type_name()),
            Self::Path(_) | Self::IfNotExists(..) => None,
        }
    }
}

fn put(item: &mut Item, path: &[String], value: AttributeValue) -> Result<(), DynamoDbError> {
    let (members, name) = parent(item, path)?;
    members.insert(name.clone(), value);
    Ok(())
}

/// The map that the last name of a path is in.
fn parent<'i, 'p>(
    item: &'i mut Item,
    path: &'p [String],
) -> Result<(&'i mut Item, &'p String), DynamoDbError> {
    let invalid = || invalid("The document path provided in the update expression is invalid for update");
    let (name, above) = path.split_last().ok_or_else(invalid)?;
    let mut members = item;
    for name in above {
        let Some(AttributeValue::M(below)) = members.get_mut(name) else { return Err(invalid()) };
        members = below;
    }
    Ok((members, name))
}

fn section(parser: &mut Parser<'_>) -> Result<&'static str, DynamoDbError> {
    if parser.take_keyword("DELETE") {
        return Err(parser.unavailable("DELETE"));
    }
    let section = ["SET", "REMOVE", "ADD"].into_iter().find(|section| parser.take_keyword(section));
    section.ok_or_else(|| parser.unexpected())
}

fn assigned(parser: &mut Parser<'_>) -> Result<SetValue, DynamoDbError> {
    parser.expect(TokenKind::Comparator(super::token::Comparator::Equal))?;
    let one = operand(parser)?;
    let (sign, combine): (_, fn(Operand, Operand) -> SetValue) = if parser.take(TokenKind::Plus) {
        ("+", SetValue::Sum)
    } else if parser.take(TokenKind::Minus) {
        ("-", SetValue::Difference)
    } else {
        return Ok(SetValue::Operand(one));
    };
    let other = operand(parser)?;
    let mistyped = [&one, &other].into_iter().filter_map(Operand::known_type).find(|kind| *kind != "N");
    match mistyped {
        Some(kind) => Err(parser.invalid(&format!(
            "Incorrect operand type for operator or function; operator or function: {sign}, operand type: {kind}"
        ))),
        None => Ok(combine(one, other)),
    }
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, DynamoDbError> {
    match parser.function() {
        Some("if_not_exists") => {
            if parser.peek().kind == TokenKind::Value || parser.peek_after() == TokenKind::Open {
                return Err(parser.invalid(
                    "Operator or function requires a document path; operator or function: if_not_exists",
                ));
            }
            let path = parser.path()?;
            parser.expect(TokenKind::Comma)?;
            let default = operand(parser)?;
            parser.expect(TokenKind::Close)?;
            Ok(Operand::IfNotExists(path, Box::new(default)))
        }
        Some("list_append") => Err(parser.unavailable("list_append")),
        Some(function) => Err(parser.invalid(&format!("Invalid function name; function: {function}"))),
        None if parser.peek().kind == TokenKind::Value => Ok(Operand::Value(parser.value()?)),
        None => Ok(Operand::Path(parser.path()?)),
    }
}

fn added(parser: &mut Parser<'_>) -> Result<Number, DynamoDbError> {
    let kind = match parser.value()? {
        AttributeValue::N(number) => return Ok(number),
        AttributeValue::S(_) => "STRING",
        AttributeValue::Bool(_) => "BOOLEAN",
        AttributeValue::Null => "NULL",
        AttributeValue::M(_) => "MAP",
        AttributeValue::L(_) => "LIST",
    };
    Err(parser.invalid(&format!(
        "Incorrect operand type for operator or function; operator: ADD, operand type: {kind}"
    )))
}

fn mistyped() -> DynamoDbError {
    invalid("An operand in the update expression has an incorrect data type")
}

fn invalid(message: &str) -> DynamoDbError {
    DynamoDbError::Validation(message.to_owned())
}
