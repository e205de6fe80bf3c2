//! From what the resolvers returned to the response: selection sets, aliases, authorization of each field, and
//! null propagation.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use apollo_compiler::{
    ast::Type,
    resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue},
    response::GraphQLError,
};
use serde_json::{Map, Value, json};

use super::{
    auth::Mode,
    document::{Request, locations},
    fault::Fault,
    schema::ApiSchema,
};

/// The root object, its fields resolved.
pub(crate) struct Root<'r> {
    /// By response key.
    pub(crate) values: HashMap<String, Result<Value, Fault>>,
    /// `util.appendError`: errors beside a result, with the response key of their field.
    pub(crate) appended: Vec<(String, Fault)>,
    schema: &'r ApiSchema,
    mode: Mode,
}

/// A projected response.
pub(crate) struct Projection {
    /// `{"data", "errors"}`
    pub(crate) response: Value,
    /// Response keys of root fields that have errors.
    pub(crate) failed: Vec<String>,
    /// By response key: the fields selected of a root field's object, by their names and not by their aliases.
    pub(crate) selected: HashMap<String, Map<String, Value>>,
}

impl<'r> Root<'r> {
    pub(crate) fn new(schema: &'r ApiSchema, mode: Mode) -> Self {
        Self { values: HashMap::new(), appended: Vec::new(), schema, mode }
    }
}

pub(crate) fn project(request: &Request, root: &Root<'_>) -> Projection {
    let run = Run { root, faults: RefCell::default(), selected: RefCell::default() };
    let query = RootObject { run: &run, type_name: request.operation.object_type() };
    let execution = Execution::new(&root.schema.schema, &request.document)
        .operation(&request.operation)
        .coerced_variable_values(&request.variables);
    let (data, errors) = match execution.execute_sync(&query) {
        Ok(response) => (json!(response.data), response.errors),
        Err(error) => (Value::Null, vec![error.to_graphql_error(&request.document.sources)]),
    };
    let faults = run.faults.take();
    let mut entries: Vec<Value> = errors.iter().map(|error| entry(error, &faults)).collect();
    entries.extend(root.appended.iter().map(|(key, fault)| fault.to_json(&json!([key]), &json!([]))));
    let failed =
        errors.iter().filter_map(|error| Some(json!(error.path).get(0)?.as_str()?.to_owned())).collect();
    let response =
        if entries.is_empty() { json!({ "data": data }) } else { json!({ "data": data, "errors": entries }) };
    let selected = run.selected.take().into_iter().map(|(key, fields)| (key, fields.take())).collect();
    Projection { response, failed, selected }
}

/// What the objects of one projection share.
struct Run<'r> {
    root: &'r Root<'r>,
    /// The engine's field errors are strings: they carry an index into this list.
    faults: RefCell<Vec<Fault>>,
    selected: RefCell<HashMap<String, Recorder>>,
}

type Recorder = Rc<RefCell<Map<String, Value>>>;

struct RootObject<'r> {
    run: &'r Run<'r>,
    type_name: &'r str,
}

struct Node<'r> {
    run: &'r Run<'r>,
    type_name: String,
    value: Map<String, Value>,
    /// Only the objects of root fields are recorded: what is published is flat.
    recorder: Option<Recorder>,
}

impl ObjectValue for RootObject<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let key = info.field_selections()[0].response_key().as_str();
        match self.run.root.values.get(key) {
            Some(Ok(value)) => {
                let recorder = Recorder::default();
                if value.is_object() {
                    self.run.selected.borrow_mut().insert(key.to_owned(), Rc::clone(&recorder));
                }
                Ok(self.run.wrap(value.clone(), &info.field_definition().ty, Some(recorder)))
            }
            Some(Err(fault)) => Err(self.run.note(fault.clone())),
            None => Ok(ResolvedValue::null()),
        }
    }
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = info.field_name();
        let Root { schema, mode, .. } = self.run.root;
        if !schema.allows(&self.type_name, field, *mode) {
            return Err(self.run.note(Fault::not_authorized(&self.type_name, field)));
        }
        let value = self.value.get(field).cloned().unwrap_or(Value::Null);
        if let Some(recorder) = &self.recorder {
            recorder.borrow_mut().insert(field.to_owned(), value.clone());
        }
        Ok(self.run.wrap(value, &info.field_definition().ty, None))
    }
}

impl<'r> Run<'r> {
    fn note(&self, fault: Fault) -> FieldError {
        let mut faults = self.faults.borrow_mut();
        faults.push(fault);
        FieldError { message: (faults.len() - 1).to_string() }
    }

    fn wrap(&'r self, value: Value, ty: &Type, recorder: Option<Recorder>) -> ResolvedValue<'r> {
        match value {
            Value::Array(items) => {
                let ty = ty.item_type().clone();
                ResolvedValue::list(items.into_iter().map(move |item| self.wrap(item, &ty, None)))
            }
            Value::Object(value) if self.root.schema.schema.get_object(ty.inner_named_type()).is_some() => {
                let type_name = ty.inner_named_type().to_string();
                ResolvedValue::object(Node { run: self, type_name, value, recorder })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                ResolvedValue::leaf(value)
            }
        }
    }
}

/// An entry of `errors`: one of ours by its index, or one of the engine's own.
fn entry(error: &GraphQLError, faults: &[Fault]) -> Value {
    let index = error.message.strip_prefix("resolver error: ").and_then(|index| index.parse::<usize>().ok());
    let ours = index.and_then(|index| faults.get(index)).cloned();
    ours.unwrap_or_else(|| Fault::untyped(&error.message)).to_json(&json!(error.path), &locations(error))
}
