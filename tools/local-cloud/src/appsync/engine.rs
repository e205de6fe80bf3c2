//! APPSYNC_JS: the deployed resolver files, run by `QuickJS`.
//!
//! Each call gets an engine of its own, so that no resolver can keep anything. What the real runtime forbids
//! (`try`, `async`, regular expressions, ...) is not enforced here; the linter in `tools/resolver-lint` does that.

use std::time::{Duration, Instant};

use rquickjs::{Context, Ctx, Error, Exception, Function, Module, Object, Runtime};
use serde_json::{Value, json};

use super::fault::Fault;

/// Which of a resolver's two functions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    Request,
    Response,
}

/// What a handler returned and did.
#[derive(Debug)]
pub(crate) struct Evaluation {
    pub(crate) value: Value,
    pub(crate) stash: Value,
    pub(crate) appended: Vec<Fault>,
    /// The argument of `extensions.setSubscriptionFilter`.
    pub(crate) filter: Option<Value>,
}

/// Why a handler has no result.
#[derive(Debug, PartialEq)]
pub(crate) enum Thrown {
    /// `util.unauthorized()`
    Unauthorized,
    /// `util.error(...)`, or a fault of the code itself.
    Fault(Fault),
}

/// Refuses a file that does not parse, or that lacks one of the two functions.
pub(crate) fn check(source: &str) -> Result<(), String> {
    with_engine(|ctx| {
        let module = load(ctx, source).map_err(|error| describe(ctx, &error))?.resolver;
        for handler in [Handler::Request, Handler::Response] {
            module
                .get::<_, Function<'_>>(handler.name())
                .map_err(|_| format!("there is no exported function {}", handler.name()))?;
        }
        Ok(())
    })
}

/// Runs one handler over `context`, the resolver's `ctx`.
pub(crate) fn run(source: &str, handler: Handler, context: &Value) -> Result<Evaluation, Thrown> {
    with_engine(|ctx| {
        let evaluate = || -> Result<Evaluation, Error> {
            let modules = load(ctx, source)?;
            let argument: Object<'_> = from_json(ctx, context)?;
            let function: Function<'_> = modules.resolver.get(handler.name())?;
            let returned: rquickjs::Value<'_> = function.call((argument.clone(),))?;
            let effects: Object<'_> = modules.utils.get("effects")?;
            let appended = to_json(ctx, effects.get("appended")?)?;
            let filter = to_json(ctx, effects.get("filter")?)?;
            Ok(Evaluation {
                value: to_json(ctx, returned)?,
                stash: to_json(ctx, argument.get("stash")?)?,
                appended: appended.as_array().into_iter().flatten().map(fault).collect(),
                filter: (!filter.is_null()).then_some(filter),
            })
        };
        evaluate().map_err(|error| thrown(ctx, &error))
    })
}

impl Handler {
    fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// Generous: a call takes a fraction of a millisecond. They stop a loop, or a string that doubles for ever.
const TIME_LIMIT: Duration = Duration::from_secs(2);
const MEMORY_LIMIT: usize = 32 << 20;

struct Modules<'js> {
    utils: Module<'js, rquickjs::module::Evaluated>,
    resolver: Module<'js, rquickjs::module::Evaluated>,
}

fn with_engine<T>(work: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let runtime = Runtime::new().expect("memory for a JavaScript engine");
    runtime.set_memory_limit(MEMORY_LIMIT);
    let deadline = Instant::now() + TIME_LIMIT;
    runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() > deadline)));
    let context = Context::full(&runtime).expect("memory for a JavaScript context");
    context.with(|ctx| work(&ctx))
}

/// The utilities come first: an import finds a module that is there already, and nothing loads any other.
fn load<'js>(ctx: &Ctx<'js>, source: &str) -> Result<Modules<'js>, Error> {
    let (utils, loaded) =
        Module::declare(ctx.clone(), "@aws-appsync/utils", include_str!("utils.js"))?.eval()?;
    loaded.finish::<()>()?;
    let (resolver, loaded) = Module::declare(ctx.clone(), "resolver.js", source)?.eval()?;
    loaded.finish::<()>()?;
    Ok(Modules { utils, resolver })
}

fn from_json<'js>(ctx: &Ctx<'js>, value: &Value) -> Result<Object<'js>, Error> {
    ctx.json_parse(value.to_string())?.into_object().ok_or(Error::Unknown)
}

fn to_json<'js>(ctx: &Ctx<'js>, value: rquickjs::Value<'js>) -> Result<Value, Error> {
    // `undefined` has no JSON; the real runtime makes null of it.
    let Some(text) = ctx.json_stringify(value)? else { return Ok(Value::Null) };
    serde_json::from_str(&text.to_string()?)
        .map_err(|error| Exception::throw_message(ctx, &format!("not JSON: {error}")))
}

fn thrown(ctx: &Ctx<'_>, error: &Error) -> Thrown {
    if !matches!(error, Error::Exception) {
        return Thrown::Fault(code_fault(&error.to_string()));
    }
    let exception = ctx.catch();
    let marked =
        exception.as_object().and_then(|object| object.get::<_, rquickjs::Value<'_>>("appsync").ok());
    match marked.and_then(|marked| to_json(ctx, marked).ok()) {
        Some(marked) if marked["unauthorized"] == true => Thrown::Unauthorized,
        Some(marked) if marked.is_object() => Thrown::Fault(fault(&marked)),
        Some(_) | None => Thrown::Fault(code_fault(&text_of(&exception))),
    }
}

/// What AppSync answers when a resolver's code fails.
fn code_fault(detail: &str) -> Fault {
    let info = json!({ "codeErrors": [{ "errorType": "RUNTIME_ERROR", "value": detail }] });
    Fault { info: Box::new(info), ..Fault::new("Code", "Runtime Error") }
}

fn fault(wire: &Value) -> Fault {
    Fault {
        message: wire["message"].as_str().unwrap_or_default().to_owned(),
        error_type: wire["errorType"].as_str().map(str::to_owned),
        data: Box::new(wire["data"].clone()),
        info: Box::new(wire["errorInfo"].clone()),
    }
}

fn describe(ctx: &Ctx<'_>, error: &Error) -> String {
    if matches!(error, Error::Exception) { text_of(&ctx.catch()) } else { error.to_string() }
}

fn text_of(exception: &rquickjs::Value<'_>) -> String {
    let message = exception.as_exception().and_then(Exception::message);
    message.unwrap_or_else(|| "an exception without a message".to_owned())
}
