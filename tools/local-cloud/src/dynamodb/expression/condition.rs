//! Conditions ("Condition and filter expressions, operators, and functions"). `BETWEEN`, `IN`, `attribute_type`,
//! `begins_with` and `contains` are refused.

use std::cmp::Ordering;

use super::{
    super::{
        error::DynamoDbError,
        number::Number,
        value::{AttributeValue, Item},
    },
    Parser, Path, Placeholders, find, quoted,
    token::{Comparator, TokenKind},
};

#[derive(Debug, PartialEq)]
pub(in crate::dynamodb) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(Path),
    NotExists(Path),
    Compare(Operand, Comparator, Operand),
}

#[derive(Debug, PartialEq)]
pub(in crate::dynamodb) enum Operand {
    Path(Path),
    Value(AttributeValue),
    /// `size(...)`
    Size(Box<Operand>),
}

impl Condition {
    pub(in crate::dynamodb) fn parse(
        kind: &'static str,
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, DynamoDbError> {
        let mut parser = Parser::new(kind, text, placeholders)?;
        let condition = either(&mut parser)?;
        parser.expect(TokenKind::End)?;
        Ok(condition)
    }

    /// Without an item nothing exists.
    pub(in crate::dynamodb) fn holds(&self, item: Option<&Item>) -> bool {
        match self {
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Exists(path) => item.is_some_and(|item| find(item, path).is_some()),
            Self::NotExists(path) => item.is_none_or(|item| find(item, path).is_none()),
            Self::Compare(one, comparator, other) => {
                compare(one.value(item).as_ref(), *comparator, other.value(item).as_ref())
            }
        }
    }
}

impl Operand {
    fn value(&self, item: Option<&Item>) -> Option<AttributeValue> {
        match self {
            Self::Path(path) => find(item?, path).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(operand) => {
                let size = match operand.value(item)? {
                    AttributeValue::S(text) => text.chars().count(),
                    AttributeValue::M(members) => members.len(),
                    AttributeValue::L(values) => values.len(),
                    AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => return None,
                };
                Some(AttributeValue::N(Number::from(size)))
            }
        }
    }
}

/// What is not there is unequal to everything, and neither less nor greater; nor is what has another type.
fn compare(one: Option<&AttributeValue>, comparator: Comparator, other: Option<&AttributeValue>) -> bool {
    let equal = one.is_some() && one == other;
    let order = match (one, other) {
        (Some(AttributeValue::S(one)), Some(AttributeValue::S(other))) => Some(one.cmp(other)),
        (Some(AttributeValue::N(one)), Some(AttributeValue::N(other))) => Some(one.cmp(other)),
        _ => None,
    };
    match comparator {
        Comparator::Equal => equal,
        Comparator::NotEqual => !equal,
        Comparator::Less => order == Some(Ordering::Less),
        Comparator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparator::Greater => order == Some(Ordering::Greater),
        Comparator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

fn either(parser: &mut Parser<'_>) -> Result<Condition, DynamoDbError> {
    let mut condition = both(parser)?;
    while parser.take_keyword("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(both(parser)?));
    }
    Ok(condition)
}

fn both(parser: &mut Parser<'_>) -> Result<Condition, DynamoDbError> {
    let mut condition = negated(parser)?;
    while parser.take_keyword("AND") {
        condition = Condition::And(Box::new(condition), Box::new(negated(parser)?));
    }
    Ok(condition)
}

fn negated(parser: &mut Parser<'_>) -> Result<Condition, DynamoDbError> {
    if parser.take_keyword("NOT") {
        return Ok(Condition::Not(Box::new(negated(parser)?)));
    }
    if parser.take(TokenKind::Open) {
        return parenthesized(parser);
    }
    if let Some(condition) = existence(parser)? {
        return Ok(condition);
    }
    let one = operand(parser)?;
    let TokenKind::Comparator(comparator) = parser.peek().kind else {
        return Err(match parser.peek().text.to_ascii_uppercase().as_str() {
            keyword @ ("BETWEEN" | "IN") => parser.unavailable(keyword),
            _ if matches!(one, Operand::Size(_)) => misused(parser, "size"),
            _ => parser.unexpected(),
        });
    };
    parser.next += 1;
    let other = operand(parser)?;
    check_operands(parser, &one, comparator, &other)?;
    Ok(Condition::Compare(one, comparator, other))
}

/// Its opening parenthesis has been taken. AWS refuses those in which there is nothing but parentheses.
fn parenthesized(parser: &mut Parser<'_>) -> Result<Condition, DynamoDbError> {
    let begin = parser.next;
    let condition = either(parser)?;
    let end = parser.next;
    parser.expect(TokenKind::Close)?;
    let mut depth = 0_i32;
    let first_closed = parser.tokens[begin..end].iter().position(|token| {
        depth += i32::from(token.kind == TokenKind::Open) - i32::from(token.kind == TokenKind::Close);
        depth == 0
    });
    if parser.tokens[begin].kind == TokenKind::Open && first_closed == Some(end - begin - 1) {
        return Err(parser.invalid("The expression has redundant parentheses;"));
    }
    Ok(condition)
}

fn existence(parser: &mut Parser<'_>) -> Result<Option<Condition>, DynamoDbError> {
    let condition: fn(Path) -> Condition = match parser.peek().text {
        "attribute_exists" => Condition::Exists,
        "attribute_not_exists" => Condition::NotExists,
        _ => return Ok(None),
    };
    let Some(function) = parser.function() else { return Ok(None) };
    if parser.peek().kind == TokenKind::Value {
        return Err(parser.invalid(&format!(
            "Operator or function requires a document path; operator or function: {function}"
        )));
    }
    let path = parser.path()?;
    close_call(parser, function)?;
    if matches!(parser.peek().kind, TokenKind::Comparator(_)) {
        return Err(misused(parser, function));
    }
    Ok(Some(condition(path)))
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, DynamoDbError> {
    match parser.function() {
        Some("size") => {
            let measured = if parser.peek().kind == TokenKind::Value {
                Operand::Value(parser.value()?)
            } else {
                Operand::Path(parser.path()?)
            };
            close_call(parser, "size")?;
            if let Operand::Value(AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null) =
                &measured
            {
                return Err(mistyped_operand(parser, "size", &measured));
            }
            Ok(Operand::Size(Box::new(measured)))
        }
        Some(function @ ("attribute_exists" | "attribute_not_exists" | "if_not_exists" | "list_append")) => {
            Err(misused(parser, function))
        }
        Some(function @ ("attribute_type" | "begins_with" | "contains")) => Err(parser.unavailable(function)),
        Some(function) => Err(parser.invalid(&format!("Invalid function name; function: {function}"))),
        None if parser.peek().kind == TokenKind::Value => Ok(Operand::Value(parser.value()?)),
        None => Ok(Operand::Path(parser.path()?)),
    }
}

/// A call here has one operand.
fn close_call(parser: &mut Parser<'_>, function: &str) -> Result<(), DynamoDbError> {
    if parser.peek().kind == TokenKind::Comma {
        return Err(parser.invalid(&format!(
            "Incorrect number of operands for operator or function; operator or function: {function}, number of \
             operands: 2"
        )));
    }
    parser.expect(TokenKind::Close)
}

fn check_operands(
    parser: &Parser<'_>,
    one: &Operand,
    comparator: Comparator,
    other: &Operand,
) -> Result<(), DynamoDbError> {
    if let (Operand::Path(path), true) = (one, one == other) {
        return Err(parser.invalid(&format!(
            "The first operand must be distinct from the remaining operands for this operator or function; \
             operator: {}, first operand: {}",
            comparator.sign(),
            quoted(path)
        )));
    }
    let is_ordered = |operand: &Operand| match operand {
        Operand::Value(value) => matches!(value, AttributeValue::S(_) | AttributeValue::N(_)),
        Operand::Path(_) | Operand::Size(_) => true,
    };
    match comparator {
        Comparator::Equal | Comparator::NotEqual => Ok(()),
        Comparator::Less | Comparator::LessOrEqual | Comparator::Greater | Comparator::GreaterOrEqual => {
            match [one, other].into_iter().find(|operand| !is_ordered(operand)) {
                Some(operand) => Err(mistyped_operand(parser, comparator.sign(), operand)),
                None => Ok(()),
            }
        }
    }
}

fn misused(parser: &Parser<'_>, function: &str) -> DynamoDbError {
    parser.invalid(&format!(
        "The function is not allowed to be used this way in an expression; function: {function}"
    ))
}

fn mistyped_operand(parser: &Parser<'_>, function: &str, operand: &Operand) -> DynamoDbError {
    let kind = match operand {
        Operand::Value(value) => value.type_name(),
        Operand::Path(_) | Operand::Size(_) => "N",
    };
    parser.invalid(&format!(
        "Incorrect operand type for operator or function; operator or function: {function}, operand type: {kind}"
    ))
}
