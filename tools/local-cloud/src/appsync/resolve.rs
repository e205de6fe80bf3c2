//! One root field: its resolver's request function, its data source, its response function.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{
    Api,
    auth::Caller,
    engine::{self, Evaluation, Handler, Thrown},
    fault::Fault,
};
use crate::lambda::InvokeError;

/// The function behind the Lambda data source.
pub(crate) type Invoke = Arc<dyn Fn(Bytes) -> BoxFuture<'static, Result<Bytes, InvokeError>> + Send + Sync>;

/// What the resolver is called for.
pub(crate) struct Invocation<'i> {
    pub(crate) parent_type: &'i str,
    pub(crate) field: &'i str,
    pub(crate) arguments: &'i Map<String, Value>,
    pub(crate) headers: &'i Value,
    pub(crate) info: Value,
}

/// What the response function returned.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) value: Value,
    pub(crate) appended: Vec<Fault>,
    pub(crate) filter: Option<Value>,
}

pub(crate) async fn resolve(api: &Api, caller: &Caller, call: &Invocation<'_>) -> Result<Resolved, Fault> {
    let not_authorized = || Fault::not_authorized(call.parent_type, call.field);
    let action = format!("appsync:GraphQL:{}.{}", call.parent_type, call.field);
    let identity = caller.identity(&*api.authority, &action).ok_or_else(not_authorized)?;
    let source = api.schema.resolver(call.field).ok_or_else(|| missing(call))?;
    let evaluate = |handler: Handler, context: &Value| {
        engine::run(source, handler, context).map_err(|thrown| match thrown {
            Thrown::Unauthorized => not_authorized(),
            Thrown::Fault(fault) => fault,
        })
    };
    let mut context = json!({
        "arguments": call.arguments,
        "args": call.arguments,
        "identity": identity,
        "source": null,
        "request": { "headers": call.headers, "domainName": null },
        "info": call.info,
        "stash": {},
        "prev": null,
    });
    let Evaluation { value: request, stash, mut appended, .. } = evaluate(Handler::Request, &context)?;
    context["stash"] = stash;
    match DataSource::of(call).fetch(api, &request).await {
        Ok(result) => context["result"] = result,
        Err(Unavailable::Refused(fault)) => return Err(fault),
        Err(Unavailable::Failed { error_type, message }) => {
            context["result"] = Value::Null;
            context["error"] = json!({ "type": error_type, "message": message });
        }
    }
    let answered = evaluate(Handler::Response, &context)?;
    appended.extend(answered.appended);
    Ok(Resolved { value: answered.value, appended, filter: answered.filter })
}

/// "AWS AppSync endpoints and quotas": a request may take 30 s.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy)]
enum DataSource {
    /// Gives the payload back.
    None,
    Lambda,
}

enum Unavailable {
    /// The resolver asked for what the data source does not know.
    Refused(Fault),
    /// For the response function, as `ctx.error`.
    Failed { error_type: &'static str, message: String },
}

impl DataSource {
    /// As in the Terraform module.
    fn of(call: &Invocation<'_>) -> Self {
        match (call.parent_type, call.field) {
            ("Mutation", "startStream" | "cancelStream") | ("Query", "streamEvents") => Self::Lambda,
            _ => Self::None,
        }
    }

    async fn fetch(self, api: &Api, request: &Value) -> Result<Value, Unavailable> {
        match self {
            Self::None => Ok(request.get("payload").cloned().unwrap_or(Value::Null)),
            Self::Lambda => {
                let members: Vec<_> = request.as_object().into_iter().flatten().map(|(key, _)| key).collect();
                if request["operation"] != "Invoke" || members != ["operation", "payload"] {
                    let message =
                        "Only {operation: 'Invoke', payload} is supported by the Lambda data source here.";
                    return Err(Unavailable::Refused(Fault::new("UnsupportedOperation", message)));
                }
                let failed = |error_type, message| Unavailable::Failed { error_type, message };
                let answer = (api.invoke)(Bytes::from(request["payload"].to_string()));
                let answer = tokio::time::timeout(TIMEOUT, answer)
                    .await
                    .map_err(|_| failed("ExecutionTimeout", "Execution timed out.".to_owned()))?
                    .map_err(|error| failed(lambda_error_type(&error), error.to_string()))?;
                serde_json::from_slice(&answer).map_err(|_| {
                    failed("Lambda:IllegalArgument", "The function answered no JSON.".to_owned())
                })
            }
        }
    }
}

fn lambda_error_type(error: &InvokeError) -> &'static str {
    match error {
        InvokeError::Function { .. } | InvokeError::Exited { .. } | InvokeError::TimedOut { .. } => {
            "Lambda:Unhandled"
        }
        InvokeError::Throttled { .. } => "Lambda:TooManyRequestsException",
        InvokeError::UnknownFunction(_) => "Lambda:ResourceNotFoundException",
        InvokeError::Init { .. } => "Lambda:InitError",
    }
}

fn missing(call: &Invocation<'_>) -> Fault {
    Fault::new("MappingTemplate", format!("There is no resolver for {}.{}.", call.parent_type, call.field))
}
