//! Runs an operation: its root fields are planned, then resolved one after the other, then projected.

use std::cell::RefCell;

use apollo_compiler::{
    executable::{Selection, SelectionSet},
    resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue},
    response::JsonMap,
};
use serde_json::{Map, Value, json};

use super::{
    Api,
    auth::{Caller, Mode},
    document::Request,
    fault::Fault,
    projection::{Root, project},
    resolve::{Invocation, Resolved, resolve},
    schema::ApiSchema,
};

/// An executed operation.
pub(crate) struct Outcome {
    /// `{"data", "errors"}`; no `errors` when there are none.
    pub(crate) response: Value,
    pub(crate) published: Vec<Published>,
    pub(crate) registered: Vec<Registered>,
}

/// A mutation that succeeded and has subscribers, with the fields that it selected.
pub(crate) struct Published {
    pub(crate) mutation: String,
    pub(crate) event: Map<String, Value>,
}

/// A subscription field that was accepted.
pub(crate) struct Registered {
    pub(crate) field: String,
    pub(crate) arguments: Map<String, Value>,
    /// As the resolver set it.
    pub(crate) filter: Option<Value>,
}

/// Runs a whole operation. Root fields run in order, which GraphQL asks for of mutations.
pub(crate) async fn execute(api: &Api, request: &Request, caller: &Caller, headers: &Value) -> Outcome {
    let calls = plan(&api.schema, request);
    let mut root = Root::new(&api.schema, caller.mode());
    let mut registered = Vec::new();
    for call in &calls {
        match call_field(api, request, caller, headers, call).await {
            Ok(resolved) => {
                root.appended.extend(resolved.appended.into_iter().map(|fault| (call.key.clone(), fault)));
                root.values.insert(call.key.clone(), Ok(resolved.value));
                registered.push(Registered {
                    field: call.field.clone(),
                    arguments: call.arguments.clone(),
                    filter: resolved.filter,
                });
            }
            Err(fault) => {
                root.values.insert(call.key.clone(), Err(fault));
            }
        }
    }
    let projection = project(request, &root);
    let is_published = |call: &&Call| request.operation.is_mutation() && api.schema.is_published(&call.field);
    let published = calls
        .iter()
        .filter(is_published)
        .filter(|call| !projection.failed.contains(&call.key))
        .filter_map(|call| {
            let event = projection.selected.get(&call.key)?.clone();
            Some(Published { mutation: call.field.clone(), event })
        })
        .collect();
    Outcome { response: projection.response, published, registered }
}

/// What a subscriber is sent for an event: the fields that its subscription selects of those in `event`.
pub(crate) fn for_subscriber(schema: &ApiSchema, request: &Request, event: &Map<String, Value>) -> Value {
    let mut root = Root::new(schema, Mode::Cognito);
    for field in request.operation.root_fields(&request.document) {
        root.values.insert(field.response_key().to_string(), Ok(Value::Object(event.clone())));
    }
    project(request, &root).response
}

/// A root field that is to be resolved.
struct Call {
    /// Its name in the response: its alias, if it has one.
    key: String,
    field: String,
    arguments: Map<String, Value>,
    selected: Vec<String>,
}

/// The engine's execution waits for nothing, so a first run only notes what there is to resolve. Arguments that it
/// refuses are refused again, with their errors, by the projection.
fn plan(schema: &ApiSchema, request: &Request) -> Vec<Call> {
    let planner = Planner { request, calls: RefCell::default() };
    let execution = Execution::new(&schema.schema, &request.document)
        .operation(&request.operation)
        .coerced_variable_values(&request.variables);
    match execution.execute_sync(&planner) {
        Ok(_) | Err(_) => planner.calls.into_inner(),
    }
}

async fn call_field(
    api: &Api,
    request: &Request,
    caller: &Caller,
    headers: &Value,
    call: &Call,
) -> Result<Resolved, Fault> {
    let parent_type = request.operation.object_type();
    if !api.schema.allows(parent_type, &call.field, caller.mode()) {
        return Err(Fault::not_authorized(parent_type, &call.field));
    }
    let info = json!({
        "fieldName": call.field,
        "parentTypeName": parent_type.as_str(),
        "variables": to_object(&request.variables),
        "selectionSetList": call.selected,
    });
    let invocation =
        Invocation { parent_type, field: &call.field, arguments: &call.arguments, headers, info };
    resolve(api, caller, &invocation).await
}

struct Planner<'p> {
    request: &'p Request,
    calls: RefCell<Vec<Call>>,
}

impl ObjectValue for Planner<'_> {
    fn type_name(&self) -> &str {
        self.request.operation.object_type()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let fields = info.field_selections();
        self.calls.borrow_mut().push(Call {
            key: fields[0].response_key().to_string(),
            field: info.field_name().to_owned(),
            arguments: to_object(info.arguments()),
            selected: fields.iter().flat_map(|field| self.names(&field.selection_set, "")).collect(),
        });
        Ok(ResolvedValue::SkipForPartialExecution)
    }
}

impl Planner<'_> {
    /// `selectionSetList`: every selected field, nested ones as `parent/child`.
    fn names(&self, set: &SelectionSet, prefix: &str) -> Vec<String> {
        let names = set.selections.iter().flat_map(|selection| match selection {
            Selection::Field(field) => {
                let name = format!("{prefix}{}", field.name);
                let below = self.names(&field.selection_set, &format!("{name}/"));
                [vec![name], below].concat()
            }
            Selection::InlineFragment(inline) => self.names(&inline.selection_set, prefix),
            Selection::FragmentSpread(spread) => spread
                .fragment_def(&self.request.document)
                .map_or_else(Vec::new, |fragment| self.names(&fragment.selection_set, prefix)),
        });
        names.collect()
    }
}

fn to_object(map: &JsonMap) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.as_str().to_owned(), json!(value))).collect()
}
