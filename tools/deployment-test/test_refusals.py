"""Whoever is not signed in costs no model call, and nobody speaks plain HTTP to the queues."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import InvalidStatus

from stack import Stack


@pytest.fixture(autouse=True)
def no_model_call(stack: Stack) -> Any:
    before = len(stack.model_calls())
    yield
    assert len(stack.model_calls()) == before


@pytest.mark.parametrize("token", [None, "IdToken", "RefreshToken"])
def test_function_url_answers_401_to_what_is_no_access_token(stack: Stack, token: str | None) -> None:
    answer = stack.ask_function_url(token and stack.sign_in()[token])

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


def test_websocket_api_refuses_the_upgrade_without_a_subprotocol(stack: Stack) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        stack.open_socket()
    assert refusal.value.response.status_code == 401


@pytest.mark.parametrize("token", ["IdToken", "RefreshToken"])
def test_websocket_api_refuses_the_upgrade_with_what_is_no_access_token(stack: Stack, token: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        stack.open_socket("llm-stream.v1", f"bearer.{stack.sign_in()[token]}")
    assert refusal.value.response.status_code == 403


def test_websocket_api_answers_an_unknown_action_on_the_default_route(stack: Stack) -> None:
    token = stack.sign_in()["AccessToken"]
    with stack.open_socket("llm-stream.v1", f"bearer.{token}") as socket:
        assert socket.subprotocol == "llm-stream.v1"
        socket.send(json.dumps({"action": "dance"}))
        event = json.loads(socket.recv(timeout=20))
    assert (event["type"], event["code"]) == ("error", "invalid_request")


def test_appsync_refuses_an_id_token(stack: Stack) -> None:
    _, answer = stack.start_stream(stack.sign_in()["IdToken"])

    assert answer["errors"]
    assert not (answer["data"] or {}).get("startStream")


@pytest.mark.parametrize(("scheme", "is_refused"), [("http", True), ("https", False)])
@pytest.mark.parametrize("queue", ["prompts", "prompts-dead-letter"])
def test_the_queues_refuse_plain_http(stack: Stack, queue: str, scheme: str, is_refused: bool) -> None:
    iam = stack.emulator.client("iam")
    # Nothing binds the root user: somebody who may do everything to queues.
    name = f"queue-admin-{queue}-{scheme}"
    iam.create_user(UserName=name)
    everything = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_user_policy(UserName=name, PolicyName="queues", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sqs = stack.emulator.client("sqs", key["AccessKeyId"], key["SecretAccessKey"])
    sqs.meta.events.register(
        "before-send.sqs", lambda request, **_: request.headers.update({"x-forwarded-proto": scheme})
    )
    url = stack.queue_url(queue)
    try:
        if is_refused:
            with pytest.raises(ClientError, match="not authorized"):
                sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        else:
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="queues")
        iam.delete_user(UserName=name)
