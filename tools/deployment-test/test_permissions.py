"""Least privilege: without any one of its permissions a function is refused; with it given back, it works."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulator import wait_for
from stack import Stack

# A role without the prefix of its name, a policy of it, a statement of that.
Permission = tuple[str, str, str]
MODEL = "bedrock:InvokeModelWithResponseStream"


def function_url_answers(stack: Stack) -> bool:
    return stack.probe("function-url")["outcome"] == "done"


def websocket_api_answers(stack: Stack) -> bool:
    return stack.probe("websocket-api", timeout_seconds=3)["outcome"] == "done"


def prompts_are_queued(stack: Stack) -> bool:
    _, answer = stack.start_stream(stack.sign_in()["AccessToken"])
    return "errors" not in answer


def appsync_answers(stack: Stack) -> bool:
    begin = time.time()
    session, _ = stack.start_stream(stack.sign_in()["AccessToken"])
    # A worker that may not publish cannot say that either.
    wait_for(
        lambda: stack.published_terminal(session) or stack.journal.entries("denied", begin), "an end", 20
    )
    event = stack.published_terminal(session)
    return event is not None and event["type"] == "DONE"


# Which action each allows, and what does not work without it.
ENFORCED: dict[Permission, tuple[str, Callable[[Stack], bool]]] = {
    ("function-url", "model", "AskInferenceProfile"): (MODEL, function_url_answers),
    ("function-url", "model", "AskModelThroughInferenceProfile"): (MODEL, function_url_answers),
    ("websocket-api-stream", "model", "AskInferenceProfile"): (MODEL, websocket_api_answers),
    ("websocket-api-stream", "model", "AskModelThroughInferenceProfile"): (MODEL, websocket_api_answers),
    ("websocket-api-stream", "connections", "PostToConnections"): (
        "execute-api:ManageConnections",
        websocket_api_answers,
    ),
    ("appsync-request", "queue", "QueuePrompts"): ("sqs:SendMessage", prompts_are_queued),
    ("appsync-worker", "model", "AskInferenceProfile"): (MODEL, appsync_answers),
    ("appsync-worker", "model", "AskModelThroughInferenceProfile"): (MODEL, appsync_answers),
    ("appsync-worker", "publish", "PublishEvents"): ("appsync:GraphQL", appsync_answers),
}
# Its counterpart, which takes three receives, is in test_dead_letter.py.
RETRY_SOON: Permission = ("appsync-worker", "queue", "RetrySoon")
# What the emulator does itself, with nobody's permissions. The tests of terraform/ have them.
NOT_ENFORCED: set[Permission] = {
    ("function-url", "logs", "WriteOwnLog"),
    ("websocket-api-authorizer", "logs", "WriteOwnLog"),
    ("websocket-api-session", "logs", "WriteOwnLog"),
    ("websocket-api-stream", "logs", "WriteOwnLog"),
    ("appsync-request", "logs", "WriteOwnLog"),
    ("appsync-worker", "logs", "WriteOwnLog"),
    ("appsync-worker", "queue", "PollPrompts"),
    ("appsync-datasource", "invoke", "InvokeRequest"),
}


def test_every_permission_of_every_role_is_known_here(stack: Stack) -> None:
    iam = stack.emulator.client("iam")
    found = {
        (role["RoleName"].removeprefix("tristream-"), policy, statement["Sid"])
        for role in iam.list_roles()["Roles"]
        for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        for statement in statements(stack, role["RoleName"], policy)
    }
    assert found == ENFORCED.keys() | {RETRY_SOON} | NOT_ENFORCED
    for role in iam.list_roles()["Roles"]:
        assert iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"] == []


@pytest.mark.parametrize("permission", ENFORCED, ids="/".join)
def test_nothing_works_without_the_permission_for_it(stack: Stack, permission: Permission) -> None:
    action, works = ENFORCED[permission]
    with taken_away(stack, permission, action):
        begin = time.time()
        assert not works(stack)
        assert (permission[0], action) in denied(stack, begin)
    assert works(stack)


def test_the_worker_brings_no_message_back_without_the_permission_for_it(stack: Stack) -> None:
    sqs, queue = stack.emulator.client("sqs"), stack.queue_url("prompts")
    with taken_away(stack, RETRY_SOON, "sqs:ChangeMessageVisibility"):
        begin = time.time()
        sqs.send_message(QueueUrl=queue, MessageBody="no message of ours")
        refusal = ("appsync-worker", "sqs:ChangeMessageVisibility")
        wait_for(lambda: refusal in denied(stack, begin), "the refusal", 20)
    # It would come back after the queue's visibility timeout, half an hour.
    sqs.purge_queue(QueueUrl=queue)


@contextmanager
def taken_away(stack: Stack, permission: Permission, action: str) -> Iterator[None]:
    role, policy, sid = f"tristream-{permission[0]}", permission[1], permission[2]
    iam = stack.emulator.client("iam")
    before = statements(stack, role, policy)
    (statement,) = [statement for statement in before if statement["Sid"] == sid]
    assert statement["Action"] == action
    rest = [statement for statement in before if statement["Sid"] != sid]
    try:
        if rest:
            put(iam, role, policy, rest)
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        yield
    finally:
        put(iam, role, policy, before)


def put(iam: Any, role: str, policy: str, statements: list[dict]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def statements(stack: Stack, role: str, policy: str) -> list[dict]:
    document = stack.emulator.client("iam").get_role_policy(RoleName=role, PolicyName=policy)[
        "PolicyDocument"
    ]
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def denied(stack: Stack, since: float) -> set[tuple[str, str]]:
    """Who was refused what."""
    return {
        (entry["principal"].split("/")[1].removeprefix("tristream-"), entry["action"])
        for entry in stack.journal.entries("denied", since)
    }
