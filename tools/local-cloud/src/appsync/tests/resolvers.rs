//! The deployed resolver files in the engine, and what the engine does to wrong ones.

use super::{
    super::engine::{Evaluation, Handler, Thrown, check, run},
    *,
};

fn context(token_use: &str, result: &Value, error: &Value) -> Value {
    json!({
        "args": { "sessionId": "s-1" }, "arguments": { "sessionId": "s-1" }, "stash": {},
        "identity": { "sub": "ana", "claims": {
            "iss": "https://issuer", "client_id": "client", "token_use": token_use, "exp": 7, "jti": "j",
        }},
        "result": result, "error": error,
    })
}

fn deployed_resolver(field: &str, handler: Handler, context: &Value) -> Result<Evaluation, Thrown> {
    let source = std::fs::read_to_string(format!("{MODULE}/resolvers/{field}.js")).expect("a resolver");
    run(&source, handler, context)
}

#[test]
fn only_access_tokens_start_and_hear_a_stream() {
    for field in ["startStream", "cancelStream", "streamEvents", "onTokenReceived"] {
        for (token_use, accepted) in [("access", true), ("id", false), ("", false), ("Access", false)] {
            let context = context(token_use, &Value::Null, &Value::Null);
            let outcome = deployed_resolver(field, Handler::Request, &context);
            match outcome {
                Ok(_) => assert!(accepted, "{field} {token_use}"),
                Err(thrown) => {
                    assert_eq!((thrown, accepted), (Thrown::Unauthorized, false), "{field} {token_use}");
                }
            }
        }
    }
}

#[test]
fn the_function_is_told_the_arguments_and_the_checked_identity() {
    let context = context("access", &Value::Null, &Value::Null);
    for field in ["startStream", "cancelStream", "streamEvents"] {
        let request = deployed_resolver(field, Handler::Request, &context).expect("a request").value;
        let claims =
            json!({ "iss": "https://issuer", "client_id": "client", "token_use": "access", "exp": 7 });
        let payload = json!({
            "field": field,
            "arguments": { "sessionId": "s-1" },
            "identity": { "sub": "ana", "claims": claims },
        });
        assert_eq!(request, json!({ "operation": "Invoke", "payload": payload }));
    }
}

#[test]
fn a_subscription_hears_one_session_of_one_owner() {
    let context = context("access", &Value::Null, &Value::Null);
    let evaluation = deployed_resolver("onTokenReceived", Handler::Response, &context).expect("a response");
    let condition =
        |field: &str, value: &str| json!({ "fieldName": field, "operator": "eq", "value": value });
    let filters = [condition("sessionId", "s-1"), condition("owner", "ana")];
    assert_eq!(evaluation.filter, Some(json!({ "filterGroup": [{ "filters": filters }] })));
    assert_eq!(evaluation.value, Value::Null);
}

#[test]
fn the_answer_of_the_function_becomes_a_result_or_an_error_without_internals() {
    #[track_caller]
    fn check(field: &str, (result, error): (&Value, &Value), code: &str, message: &str, info: &Value) {
        let context = context("access", result, error);
        let Err(Thrown::Fault(fault)) = deployed_resolver(field, Handler::Response, &context) else {
            panic!("expected a fault");
        };
        assert_eq!(fault.error_type.as_deref(), Some(code));
        assert_eq!(fault.message, message);
        assert_eq!(*fault.info, *info);
    }
    let arn = json!({ "type": "Lambda:Unhandled", "message": "arn:aws:lambda:us-east-1:1:function:x" });
    let answer = json!({ "sessionId": "s-1", "events": [], "ended": false });
    for (field, failed) in [
        ("startStream", "The request could not be queued. Try again."),
        ("cancelStream", "The answer could not be stopped. Try again."),
        ("streamEvents", "The events could not be read. Try again."),
    ] {
        let again = json!({ "retryable": true });
        for outcome in [(&Value::Null, &arn), (&answer, &arn), (&Value::Null, &Value::Null)] {
            check(field, outcome, "internal", failed, &again);
        }
        let refused = json!({ "error": { "code": "not_found", "message": "No.", "retryable": false } });
        check(field, (&refused, &Value::Null), "not_found", "No.", &json!({ "retryable": false }));
        let good = context("access", &answer, &Value::Null);
        let evaluation = deployed_resolver(field, Handler::Response, &good).expect("a result");
        assert_eq!(evaluation.value, answer);
    }
    let limited = json!({ "code": "rate_limited", "message": "Wait.", "retryable": true, "retryAfter": 7 });
    let info = json!({ "retryable": true, "retryAfter": 7 });
    check("startStream", (&json!({ "error": limited }), &Value::Null), "rate_limited", "Wait.", &info);
}

#[test]
fn a_resolver_that_cannot_run_is_refused_at_start_up() {
    let both = "export function request(ctx) { return {}; } export function response(ctx) { return null; }";
    assert_eq!(check(both), Ok(()));
    for (source, reason) in [
        ("export function request(ctx) { return {}; }", "no response"),
        ("function request() {} function response() {}", "not exported"),
        ("export function request( {", "a syntax error"),
        ("import { util } from '@aws-appsync/other';", "a module that is not there"),
        ("import { nothing } from '@aws-appsync/utils';", "an export that is not there"),
        ("", "empty"),
    ] {
        assert!(check(source).is_err(), "{reason}");
    }
}

#[test]
fn a_fault_of_the_code_is_a_runtime_error_and_no_loop_is_endless() {
    for body in [
        "return ctx.nothing.at.all;",
        "return util.nope();",
        "for (;;) {}",
        "let s = 'x'; for (;;) { s = s + s; }",
        "const f = () => f() + 1; return f();",
        "throw 1;",
        "return fetch('x');",
    ] {
        let source =
            format!("import {{ util }} from '@aws-appsync/utils'; export function request(ctx) {{ {body} }}");
        match run(&source, Handler::Request, &json!({ "stash": {} })) {
            Err(Thrown::Fault(fault)) => assert_eq!(fault.error_type.as_deref(), Some("Code"), "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn utilities_reach_the_host() {
    let source = "import { util } from '@aws-appsync/utils';
        export function request(ctx) { util.appendError('beside', 'T'); ctx.stash.a = 1; return undefined; }
        export function response(ctx) { util.error('m', 'T', { d: 1 }, { i: 2 }); }";
    let evaluation = run(source, Handler::Request, &json!({ "stash": {} })).expect("a request");
    assert_eq!((evaluation.value, evaluation.stash), (Value::Null, json!({ "a": 1 })));
    assert_eq!(evaluation.appended, [Fault::new("T", "beside")]);
    let expected = Fault {
        data: Box::new(json!({ "d": 1 })),
        info: Box::new(json!({ "i": 2 })),
        ..Fault::new("T", "m")
    };
    assert_eq!(run(source, Handler::Response, &json!({})).expect_err("an error"), Thrown::Fault(expected));
}
