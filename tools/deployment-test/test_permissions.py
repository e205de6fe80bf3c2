"""Least privilege: without any one of its permissions a function is refused; with it given back, it works."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulator import wait_for
from stack import CANCEL_STREAM, SLOWLY, STREAM_EVENTS, Stack

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


def function_url_resumes(stack: Stack) -> bool:
    token, stream_id = stack.sign_in()["AccessToken"], str(uuid.uuid4())
    request = {"stream_id": stream_id, "prompt": "Why?"}
    live = stack.function_url("POST", "", token, json=request)
    logged = stack.function_url("GET", f"streams/{stream_id}", token)
    return live.ok and logged.ok and live.text == logged.text


def function_url_takes_new_users(stack: Stack) -> bool:
    return stack.function_url("POST", "", stack.new_user(), json={"prompt": "Why?"}).ok


def websocket_api_resumes(stack: Stack) -> bool:
    token, stream_id = stack.sign_in()["AccessToken"], str(uuid.uuid4())
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt="Why?")
        live = connection.events_until("done", "error")
        connection.say("resume", stream_id)
        logged = connection.events_until("done", "error")
    return live[-1]["type"] == "done" and live == logged


def websocket_api_cancels(stack: Stack) -> bool:
    token, stream_id = stack.sign_in()["AccessToken"], str(uuid.uuid4())
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt=SLOWLY)
        connection.events_until("delta")
        connection.say("cancel", stream_id)
        event = connection.events_until("done", "error")[-1]
    return event.get("stop_reason") == "cancelled"


def prompts_of_new_users_are_queued(stack: Stack) -> bool:
    _, answer = stack.start_stream(stack.new_user())
    return "errors" not in answer


def appsync_tells_again(stack: Stack) -> bool:
    token = stack.sign_in()["AccessToken"]
    session, _ = stack.start_stream(token)
    wait_for(lambda: stack.published_terminal(session), "the end of the stream", 20)

    def ended() -> Any:
        answer = stack.graphql(token, STREAM_EVENTS, id=session)
        return answer if answer.get("errors") or answer["data"]["streamEvents"]["ended"] else None

    answer = wait_for(ended, "the end of the log", 10)
    return not answer.get("errors") and answer["data"]["streamEvents"]["events"][-1]["type"] == "DONE"


def appsync_cancels(stack: Stack) -> bool:
    """Within the two seconds in which the worker looks; it also sees it later, when it renews its lease."""
    token = stack.sign_in()["AccessToken"]
    session, _ = stack.start_stream(token, prompt=SLOWLY)
    wait_for(lambda: len(stack.journal.published(session)) > 1, "a token", 20)
    stack.graphql(token, CANCEL_STREAM, id=session)
    try:
        return wait_for(lambda: stack.published_terminal(session), "the end", 2)["stopReason"] == "cancelled"
    except TimeoutError:
        return False


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
    ("function-url", "stream-log", "ClaimStreams"): ("dynamodb:UpdateItem", function_url_answers),
    ("function-url", "stream-log", "WriteEvents"): ("dynamodb:PutItem", function_url_takes_new_users),
    ("function-url", "stream-log", "WatchStreams"): ("dynamodb:GetItem", function_url_resumes),
    ("function-url", "stream-log", "ReadEvents"): ("dynamodb:Query", function_url_resumes),
    ("websocket-api-stream", "stream-log", "ClaimStreams"): ("dynamodb:UpdateItem", websocket_api_answers),
    ("websocket-api-stream", "stream-log", "WriteEvents"): ("dynamodb:PutItem", websocket_api_resumes),
    ("websocket-api-stream", "stream-log", "WatchStreams"): ("dynamodb:GetItem", websocket_api_resumes),
    ("websocket-api-stream", "stream-log", "ReadEvents"): ("dynamodb:Query", websocket_api_resumes),
    ("websocket-api-session", "stream-log", "CancelStreams"): ("dynamodb:UpdateItem", websocket_api_cancels),
    ("appsync-request", "stream-log", "ClaimStreams"): ("dynamodb:UpdateItem", prompts_are_queued),
    ("appsync-request", "stream-log", "WriteEvents"): ("dynamodb:PutItem", prompts_of_new_users_are_queued),
    ("appsync-request", "stream-log", "WatchStreams"): ("dynamodb:GetItem", appsync_tells_again),
    ("appsync-request", "stream-log", "ReadEvents"): ("dynamodb:Query", appsync_tells_again),
    ("appsync-worker", "stream-log", "WriteEvents"): ("dynamodb:PutItem", appsync_tells_again),
    ("appsync-worker", "stream-log", "WatchStreams"): ("dynamodb:GetItem", appsync_cancels),
    # The last: a prompt that the worker could not claim comes back to it ten seconds later.
    ("appsync-worker", "stream-log", "ClaimStreams"): ("dynamodb:UpdateItem", appsync_answers),
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


def test_every_permission_of_every_role_is_known_here_and_bounded(stack: Stack) -> None:
    iam = stack.emulator.client("iam")
    found = set()
    for role in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            for statement in statements(stack, role, policy):
                found.add((role.removeprefix("tristream-"), policy, statement["Sid"]))
                assert not any("*" in action for action in several(statement["Action"]))
                assert "*" not in several(statement["Resource"])
    assert found == ENFORCED.keys() | {RETRY_SOON} | NOT_ENFORCED


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
    return several(document["Statement"])


def several(value: Any) -> list:
    """In a policy, one may stand for a list of one."""
    return value if isinstance(value, list) else [value]


def denied(stack: Stack, since: float) -> set[tuple[str, str]]:
    """Who was refused what."""
    return {
        (entry["principal"].split("/")[1].removeprefix("tristream-"), entry["action"])
        for entry in stack.journal.entries("denied", since)
    }
