//! A GraphQL request: parsed, validated, within AppSync's limits, its variables coerced.

use apollo_compiler::{
    ExecutableDocument, Node,
    ast::Document,
    executable::{Operation, OperationType, Selection, SelectionSet},
    request::{RequestError, coerce_variable_values},
    response::{GraphQLError, JsonMap},
    validation::Valid,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    fault::{Fault, refused},
    schema::ApiSchema,
};

/// The API's `query_depth_limit`: as deep as the schema.
const DEPTH_LIMIT: usize = 3;
/// The API's `resolver_count_limit`. Only root fields have resolvers.
const RESOLVER_LIMIT: usize = 10;

/// A request that may run.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) document: Valid<ExecutableDocument>,
    pub(crate) operation: Node<Operation>,
    pub(crate) variables: Valid<JsonMap>,
}

/// A request that may not, with the body of its answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// Not a GraphQL request at all: HTTP 400.
    Malformed(Value),
    /// A GraphQL request that fails validation: HTTP 200, as GraphQL errors.
    Invalid(Value),
}

impl Request {
    /// `{"query", "variables", "operationName"}`
    pub(crate) fn parse(api: &ApiSchema, body: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire = serde_json::from_slice(body)
            .map_err(|_| malformed("The request body is not a GraphQL request in JSON."))?;
        let syntax = Document::parse(wire.query, "query.graphql")
            .map_err(|_| malformed("Unable to parse GraphQL query."))?;
        let document = syntax.to_executable_validate(&api.schema).map_err(|invalid| {
            invalid_all(invalid.errors.iter().map(|diagnostic| diagnostic.to_json()).collect())
        })?;
        let operation = document
            .operations
            .get(wire.operation_name.as_deref())
            .map_err(|error| invalid_one(&error, &document))?
            .clone();
        check_limits(&document, &operation)?;
        let variables = coerce_variable_values(&api.schema, &operation, &wire.variables.unwrap_or_default())
            .map_err(|error| invalid_one(&error, &document))?;
        Ok(Self { document, operation, variables })
    }

    pub(crate) fn kind(&self) -> OperationType {
        self.operation.operation_type
    }
}

impl Refusal {
    pub(crate) fn into_body(self) -> Value {
        match self {
            Self::Malformed(body) | Self::Invalid(body) => body,
        }
    }
}

/// `locations` of an error, as AppSync writes them.
pub(crate) fn locations(error: &GraphQLError) -> Value {
    let place = |at: &apollo_compiler::parser::LineColumn| json!({ "line": at.line, "column": at.column, "sourceName": null });
    error.locations.iter().map(place).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    query: String,
    variables: Option<JsonMap>,
    operation_name: Option<String>,
}

fn malformed(message: &str) -> Refusal {
    Refusal::Malformed(refused("MalformedHttpRequestException", message))
}

fn invalid_one(error: &RequestError, document: &ExecutableDocument) -> Refusal {
    invalid_all(vec![error.to_graphql_error(&document.sources)])
}

fn invalid_all(errors: Vec<GraphQLError>) -> Refusal {
    let entry = |error: GraphQLError| {
        json!({
            "path": null,
            "locations": locations(&error),
            "message": format!("Validation error: {}", error.message),
        })
    };
    Refusal::Invalid(json!({ "data": null, "errors": errors.into_iter().map(entry).collect::<Value>() }))
}

fn check_limits(document: &ExecutableDocument, operation: &Operation) -> Result<(), Refusal> {
    let limit = |error_type: &str, message: &str| {
        let error = Fault::new(error_type, message).to_json(&Value::Null, &json!([]));
        Err(Refusal::Invalid(json!({ "data": null, "errors": [error] })))
    };
    if operation.all_fields(document).any(|field| matches!(field.name.as_str(), "__schema" | "__type")) {
        return limit("ValidationError", "Introspection is disabled for this API.");
    }
    if operation.root_fields(document).count() > RESOLVER_LIMIT {
        return limit("ResolverExecutionLimitReached", "Resolver invocation limit reached.");
    }
    if depth(document, &operation.selection_set) > DEPTH_LIMIT {
        return limit("QueryDepthLimitReached", "Query depth limit reached.");
    }
    Ok(())
}

/// Validation has refused fragments that contain themselves.
fn depth(document: &ExecutableDocument, selections: &SelectionSet) -> usize {
    let below = selections.selections.iter().map(|selection| match selection {
        Selection::Field(field) => 1 + depth(document, &field.selection_set),
        Selection::InlineFragment(inline) => depth(document, &inline.selection_set),
        Selection::FragmentSpread(spread) => {
            spread.fragment_def(document).map_or(0, |fragment| depth(document, &fragment.selection_set))
        }
    });
    below.max().unwrap_or(0)
}
