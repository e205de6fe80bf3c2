//! The request template of the routes `stream` and `resume`: the little of API Gateway's VTL that it uses. Whatever else it
//! may say is an error at start-up, so that a template that works here says nothing that is only believed to
//! work there.

use std::path::{Path, PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

const BASE64_BODY: &str = "$util.base64Encode($input.body)";

/// `$context` variables of WebSocket APIs ("API Gateway WebSocket API mapping template reference"); those of
/// the authorizer are open.
const CONTEXT: [&str; 14] = [
    "apiId",
    "connectedAt",
    "connectionId",
    "domainName",
    "eventType",
    "extendedRequestId",
    "identity.sourceIp",
    "messageDirection",
    "messageId",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "routeKey",
    "stage",
];

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("line {line} of the request template uses {construct}, which is not supported")]
    Unsupported { construct: String, line: usize },
    #[error("the request template does not render JSON: {0}")]
    NotJson(serde_json::Error),
}

#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
enum Part {
    Literal(String),
    /// The members to follow from `$context`.
    Context(Vec<String>),
    Base64Body,
}

impl Template {
    pub(super) fn read(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TemplateError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some(at) = rest.find(['$', '#']) {
            if at > 0 {
                parts.push(Part::Literal(rest[..at].to_owned()));
            }
            rest = &rest[at..];
            let (part, length) = construct(rest).ok_or_else(|| TemplateError::Unsupported {
                construct: rest.split(['"', '\n', ' ', ',', '}']).next().unwrap_or_default().to_owned(),
                line: text[..text.len() - rest.len()].matches('\n').count() + 1,
            })?;
            parts.extend(part);
            rest = &rest[length..];
        }
        parts.push(Part::Literal(rest.to_owned()));
        let template = Self { parts };
        // Numbers where API Gateway has numbers, so that an unquoted one passes and an unquoted id does not.
        let mut sample: Map<String, Value> =
            CONTEXT.iter().map(|name| ((*name).to_owned(), "sample".into())).collect();
        sample.insert("connectedAt".to_owned(), 1.into());
        sample.insert("requestTimeEpoch".to_owned(), 1.into());
        sample.insert("identity".to_owned(), json!({ "sourceIp": "127.0.0.1" }));
        serde_json::from_str::<Value>(&template.render(&sample, b"{}")).map_err(TemplateError::NotJson)?;
        Ok(template)
    }

    /// Values are not escaped, as in API Gateway; a variable that is not there renders as nothing.
    pub(super) fn render(&self, context: &Map<String, Value>, body: &[u8]) -> String {
        let render = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Base64Body => BASE64_STANDARD.encode(body),
            Part::Context(path) => {
                let value = path.split_first().and_then(|(first, rest)| {
                    rest.iter().try_fold(context.get(first)?, |value, member| value.get(member))
                });
                match value {
                    Some(Value::String(text)) => text.clone(),
                    Some(value) => value.to_string(),
                    None => String::new(),
                }
            }
        };
        self.parts.iter().map(render).collect()
    }
}

/// The construct that `text` begins with, and its length. A comment takes its line break along.
fn construct(text: &str) -> Option<(Option<Part>, usize)> {
    if text.starts_with("##") {
        return Some((None, text.find('\n').map_or(text.len(), |end| end + 1)));
    }
    if text.starts_with(BASE64_BODY) {
        return Some((Some(Part::Base64Body), BASE64_BODY.len()));
    }
    let path = text.strip_prefix("$context.")?;
    let end = path.find(|it: char| !(it.is_ascii_alphanumeric() || "_-.".contains(it))).unwrap_or(path.len());
    let path = path[..end].trim_end_matches('.');
    let is_key = |key: &str| !key.is_empty() && !key.contains('.');
    let known = CONTEXT.contains(&path) || path.strip_prefix("authorizer.").is_some_and(is_key);
    let members = path.split('.').map(str::to_owned).collect();
    known.then(|| (Some(Part::Context(members)), "$context.".len() + path.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> String {
        let Value::Object(context) =
            json!({"stage": "live", "connectedAt": 7, "authorizer": {"sub": "u\"1"}})
        else {
            unreachable!()
        };
        Template::parse(text).unwrap().render(&context, b"it's")
    }

    #[test]
    fn what_the_template_may_say_is_rendered() {
        for (text, expected) in [
            ("## $foo.bar() #if\n{}", "{}"),
            (r#"{"a": "$context.stage"} ## end"#, r#"{"a": "live"} "#),
            (r#"{"a": $context.connectedAt}"#, r#"{"a": 7}"#),
            (r#""$context.stage.""#, r#""live.""#),
            (r#""$context.authorizer.sub""#, r#""u"1""#),
            (r#""$context.authorizer.none""#, r#""""#),
            (r#""$util.base64Encode($input.body)""#, r#""aXQncw==""#),
        ] {
            assert_eq!(render(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (text, expected) in [
            ("{\n\"a\": \"$input.body\"}", "line 2 of the request template uses $input.body,"),
            (r#"{"a": "$util.escapeJavaScript($input.body)"}"#, "uses $util.escapeJavaScript($input.body),"),
            (r#"{"a": "$context.conectionId"}"#, "uses $context.conectionId,"),
            (r#"{"a": "$context.authorizer.a.b"}"#, "uses $context.authorizer.a.b,"),
            (r#"{"a": "$!context.stage"}"#, "uses $!context.stage,"),
            (r"#set($x = 1) {}", "uses #set($x,"),
            (r#"{"a": $context.connectionId}"#, "does not render JSON"),
            (r#"{"a": "b""#, "does not render JSON"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(
            Template::read(Path::new("/nonexistent.vtl"))
                .unwrap_err()
                .to_string()
                .contains("/nonexistent.vtl")
        );
    }
}
