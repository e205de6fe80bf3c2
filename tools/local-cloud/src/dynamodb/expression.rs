//! Expressions ("Using expressions in DynamoDB"): their placeholders, tokens and paths. What they mean is below.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    error::DynamoDbError,
    value::{AttributeValue, Item, mistyped},
};
pub(super) use token::Comparator;
use token::{Token, TokenKind, tokens};

pub(super) mod condition;
pub(super) mod key_condition;
mod token;
pub(super) mod update;

/// Names of attributes, one in the other.
pub(super) type Path = Vec<String>;

/// In bytes.
const MAX_EXPRESSION: usize = 4 * 1024;
const MAX_OPERATORS: usize = 300;
/// Of parentheses in each other. Not AWS's limit: ours, for the stack of whoever reads them.
const MAX_DEPTH: usize = 150;

/// As "Reserved words in DynamoDB" has them.
const RESERVED: &str = include_str!("expression/reserved.txt");

/// What `#name` and `:value` stand for in the expressions of one request.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used: BTreeSet<String>,
}

impl Placeholders {
    pub(super) fn parse(names: Option<&Value>, values: Option<&Value>) -> Result<Self, DynamoDbError> {
        let mut placeholders = Self::default();
        for (key, name) in members("ExpressionAttributeNames", '#', names)? {
            let name = name.as_str().ok_or_else(|| mistyped(name, "String"))?;
            placeholders.names.insert(key.clone(), name.to_owned());
        }
        for (key, value) in members("ExpressionAttributeValues", ':', values)? {
            let value = AttributeValue::parse(value).map_err(|error| match error {
                DynamoDbError::Validation(message) => DynamoDbError::Validation(format!(
                    "ExpressionAttributeValues contains invalid value: {message} for key {key}"
                )),
                other => other,
            })?;
            placeholders.values.insert(key.clone(), value);
        }
        Ok(placeholders)
    }

    /// After every expression has been read.
    pub(super) fn check_all_used(&self) -> Result<(), DynamoDbError> {
        let unused = |kind: &str, keys: Vec<&String>| {
            let unused: Vec<&str> =
                keys.into_iter().filter(|key| !self.used.contains(*key)).map(String::as_str).collect();
            if unused.is_empty() {
                return Ok(());
            }
            Err(DynamoDbError::Validation(format!(
                "Value provided in {kind} unused in expressions: keys: {{{}}}",
                unused.join(", ")
            )))
        };
        unused("ExpressionAttributeNames", self.names.keys().collect())?;
        unused("ExpressionAttributeValues", self.values.keys().collect())
    }
}

fn members<'v>(
    kind: &str,
    sign: char,
    json: Option<&'v Value>,
) -> Result<Vec<(&'v String, &'v Value)>, DynamoDbError> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let members = json.as_object().ok_or_else(|| mistyped(json, "Map"))?;
    if members.is_empty() {
        return Err(DynamoDbError::Validation(format!("{kind} must not be empty")));
    }
    let is_placeholder = |key: &str| {
        key.strip_prefix(sign).is_some_and(|rest| !rest.is_empty() && rest.chars().all(token::is_part))
    };
    match members.keys().find(|key| !is_placeholder(key)) {
        Some(key) => Err(DynamoDbError::Validation(format!(
            "{kind} contains invalid key: Syntax error; key: \"{key}\""
        ))),
        None => Ok(members.iter().collect()),
    }
}

/// The value at a path, if it is there.
pub(super) fn find<'i>(item: &'i Item, path: &[String]) -> Option<&'i AttributeValue> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(item.get(first)?, |value, name| match value {
        AttributeValue::M(members) => members.get(name),
        AttributeValue::S(_)
        | AttributeValue::N(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null
        | AttributeValue::L(_) => None,
    })
}

/// Reads one expression.
struct Parser<'e> {
    /// The member of the request, which begins every complaint.
    kind: &'static str,
    text: &'e str,
    tokens: Vec<Token<'e>>,
    next: usize,
    placeholders: &'e mut Placeholders,
}

impl<'e> Parser<'e> {
    fn new(
        kind: &'static str,
        text: &'e str,
        placeholders: &'e mut Placeholders,
    ) -> Result<Self, DynamoDbError> {
        let parser = Self { kind, text, tokens: tokens(text), next: 0, placeholders };
        if text.is_empty() {
            return Err(parser.invalid("The expression can not be empty;"));
        }
        if text.len() > MAX_EXPRESSION {
            return Err(parser.invalid(&format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let operators = parser.operators();
        if operators > MAX_OPERATORS {
            return Err(parser.invalid(&format!(
                "The expression has more than {MAX_OPERATORS} operators and functions: {operators}"
            )));
        }
        if parser.depth() > MAX_DEPTH {
            return Err(parser.unavailable(&format!("More than {MAX_DEPTH} parentheses in each other")));
        }
        Ok(parser)
    }

    fn depth(&self) -> usize {
        let depth = self.tokens.iter().scan(0_usize, |depth, token| {
            *depth += usize::from(token.kind == TokenKind::Open);
            *depth = depth.saturating_sub(usize::from(token.kind == TokenKind::Close));
            Some(*depth)
        });
        depth.max().unwrap_or_default()
    }

    fn operators(&self) -> usize {
        let followed = self.tokens.iter().zip(self.tokens.iter().skip(1).map(|token| token.kind));
        let is_keyword = |text: &str| ["AND", "OR", "NOT"].iter().any(|it| it.eq_ignore_ascii_case(text));
        let is_operator = |(token, next): &(&Token<'_>, TokenKind)| {
            let is_sign = matches!(token.kind, TokenKind::Comparator(_) | TokenKind::Plus | TokenKind::Minus);
            let is_word = token.kind == TokenKind::Word;
            is_sign || is_word && (*next == TokenKind::Open || is_keyword(token.text))
        };
        followed.filter(is_operator).count()
    }

    fn invalid(&self, message: &str) -> DynamoDbError {
        DynamoDbError::Validation(format!("Invalid {}: {message}", self.kind))
    }

    fn unavailable(&self, what: &str) -> DynamoDbError {
        self.invalid(&format!("{what} is not available in this local service"))
    }

    /// In AWS's words: the token that is not expected, and its neighbours.
    fn unexpected(&self) -> DynamoDbError {
        let token = self.peek();
        let previous = self.tokens.get(self.next.wrapping_sub(1)).unwrap_or(token);
        let following = self.tokens.get(self.next + 1).unwrap_or(token);
        let name = if token.kind == TokenKind::End { "<EOF>" } else { token.text };
        let near = self.text[previous.start..following.end()].trim_end();
        self.invalid(&format!("Syntax error; token: \"{name}\", near: \"{near}\""))
    }

    /// The last token is the end, and it is never taken.
    fn peek(&self) -> &Token<'e> {
        &self.tokens[self.next]
    }

    fn peek_after(&self) -> TokenKind {
        self.tokens.get(self.next + 1).map_or(TokenKind::End, |token| token.kind)
    }

    fn take(&mut self, kind: TokenKind) -> bool {
        let found = self.peek().kind == kind;
        self.next += usize::from(found && kind != TokenKind::End);
        found
    }

    fn expect(&mut self, kind: TokenKind) -> Result<(), DynamoDbError> {
        if self.take(kind) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Keywords are written in any case.
    fn take_keyword(&mut self, keyword: &str) -> bool {
        let token = self.peek();
        let found = token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(keyword);
        self.next += usize::from(found);
        found
    }

    fn path(&mut self) -> Result<Path, DynamoDbError> {
        let mut path = vec![self.name()?];
        while self.take(TokenKind::Dot) {
            path.push(self.name()?);
        }
        if self.peek().kind == TokenKind::OpenBracket {
            return Err(self.unavailable("An index of a list"));
        }
        Ok(path)
    }

    fn name(&mut self) -> Result<String, DynamoDbError> {
        let Token { kind, text, .. } = *self.peek();
        let is_word = kind == TokenKind::Word && !token::is_keyword(text);
        if !is_word && kind != TokenKind::Name {
            return Err(self.unexpected());
        }
        self.next += 1;
        if is_word && is_reserved(text) {
            let message = format!("Attribute name is a reserved keyword; reserved keyword: {text}");
            return Err(self.invalid(&message));
        }
        if is_word {
            return Ok(text.to_owned());
        }
        self.placeholders.used.insert(text.to_owned());
        let name = self.placeholders.names.get(text).cloned();
        name.ok_or_else(|| {
            self.invalid(&format!(
                "An expression attribute name used in the document path is not defined; attribute name: {text}"
            ))
        })
    }

    /// `:value`
    fn value(&mut self) -> Result<AttributeValue, DynamoDbError> {
        let Token { kind, text, .. } = *self.peek();
        if kind != TokenKind::Value {
            return Err(self.unexpected());
        }
        self.next += 1;
        self.placeholders.used.insert(text.to_owned());
        let value = self.placeholders.values.get(text).cloned();
        value.ok_or_else(|| {
            self.invalid(&format!(
                "An expression attribute value used in expression is not defined; attribute value: {text}"
            ))
        })
    }

    /// The name of a function, if a call comes next. What is in its parentheses comes after it.
    fn function(&mut self) -> Option<&'e str> {
        let Token { kind, text, .. } = *self.peek();
        if kind != TokenKind::Word || self.peek_after() != TokenKind::Open {
            return None;
        }
        self.next += 2;
        Some(text)
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED.split_ascii_whitespace().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// A path as AWS quotes it.
fn quoted(path: &[String]) -> String {
    format!("[{}]", path.join(", "))
}
