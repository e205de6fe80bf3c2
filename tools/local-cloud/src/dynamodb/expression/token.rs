//! The words and signs of an expression.

/// What a token is. A sign that no expression knows is a token as well, so that the parser can say where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword, a function or an attribute.
    Word,
    /// `#name`
    Name,
    /// `:value`
    Value,
    Comparator(Comparator),
    Plus,
    Minus,
    Open,
    Close,
    OpenBracket,
    Comma,
    Dot,
    Unknown,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dynamodb) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'e> {
    pub(super) kind: TokenKind,
    pub(super) text: &'e str,
    /// In the expression.
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

impl Comparator {
    pub(in crate::dynamodb) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The same comparison with its operands changed over.
    pub(in crate::dynamodb) fn reversed(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// All tokens, and the end.
pub(super) fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let (kind, length) = token(first, rest);
        let start = expression.len() - rest.len();
        tokens.push(Token { kind, text: &rest[..length], start });
        rest = rest[length..].trim_start();
    }
    tokens.push(Token { kind: TokenKind::End, text: "", start: expression.len() });
    tokens
}

pub(super) fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Words that are no attribute, whatever their case.
pub(super) fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 9] = ["ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// What `rest` begins with, and its length.
fn token(first: char, rest: &str) -> (TokenKind, usize) {
    let word = |from: usize| from + rest[from..].find(|c| !is_part(c)).unwrap_or(rest.len() - from);
    let comparator = |comparator: Comparator| (TokenKind::Comparator(comparator), comparator.sign().len());
    match first {
        'a'..='z' | 'A'..='Z' => (TokenKind::Word, word(0)),
        '#' if word(1) > 1 => (TokenKind::Name, word(1)),
        ':' if word(1) > 1 => (TokenKind::Value, word(1)),
        '=' => comparator(Comparator::Equal),
        '<' if rest.starts_with("<>") => comparator(Comparator::NotEqual),
        '<' if rest.starts_with("<=") => comparator(Comparator::LessOrEqual),
        '<' => comparator(Comparator::Less),
        '>' if rest.starts_with(">=") => comparator(Comparator::GreaterOrEqual),
        '>' => comparator(Comparator::Greater),
        '+' => (TokenKind::Plus, 1),
        '-' => (TokenKind::Minus, 1),
        '(' => (TokenKind::Open, 1),
        ')' => (TokenKind::Close, 1),
        '[' => (TokenKind::OpenBracket, 1),
        ',' => (TokenKind::Comma, 1),
        '.' => (TokenKind::Dot, 1),
        other => (TokenKind::Unknown, other.len_utf8()),
    }
}
