"""Who may invoke which function, by its own policy: the emulator does not ask."""

import json

import pytest

from stack import Stack

API_GATEWAY = {"Service": "apigateway.amazonaws.com"}


def invokers(stack: Stack, function: str) -> list[tuple]:
    """Principal, action and condition of each statement."""
    name = stack.outputs["function_names"][function]
    policy = json.loads(stack.emulator.client("lambda").get_policy(FunctionName=name)["Policy"])
    return [
        (statement["Principal"], statement["Action"], statement["Condition"])
        for statement in policy["Statement"]
    ]


def source_arns(stack: Stack, function: str) -> set[str]:
    """The routes, or the authorizer, by which API Gateway may invoke the function. Nothing else may."""
    statements = invokers(stack, function)
    for principal, action, _ in statements:
        assert (principal, action) == (API_GATEWAY, "lambda:InvokeFunction")
    arns = [condition["ArnLike"]["AWS:SourceArn"] for _, _, condition in statements]
    (prefix,) = {arn.split("/")[0] for arn in arns}
    assert prefix.startswith("arn:aws:execute-api:us-east-1:000000000000:")
    return {arn.removeprefix(prefix) for arn in arns}


def test_everybody_may_invoke_function_url_by_its_url_alone(stack: Stack) -> None:
    found = sorted(invokers(stack, "function-url"), key=lambda statement: statement[1])
    assert found == [
        ("*", "lambda:InvokeFunction", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
        ("*", "lambda:InvokeFunctionUrl", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}),
    ]


def test_api_gateway_may_invoke_each_function_for_its_own_routes_alone(stack: Stack) -> None:
    assert source_arns(stack, "websocket-api-session") == {
        "/live/$connect",
        "/live/$disconnect",
        "/live/$default",
        "/live/cancel",
    }
    assert source_arns(stack, "websocket-api-stream") == {"/live/stream", "/live/resume"}
    (authorizer,) = source_arns(stack, "websocket-api-authorizer")
    assert authorizer.startswith("/authorizers/")


@pytest.mark.parametrize("function", ["appsync-request", "appsync-worker"])
def test_nobody_outside_of_the_account_may_invoke(stack: Stack, function: str) -> None:
    assert invokers(stack, function) == []
