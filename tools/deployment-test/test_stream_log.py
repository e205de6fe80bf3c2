"""The stream log: an answer is stopped, resumed and asked for again from anywhere, by its owner alone."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator import wait_for
from stack import CANCEL_STREAM, SLOWLY, STREAM_EVENTS, Stack, events

Events = list[dict[str, Any]]
TABLE = "tristream-streams"
DAY_SECONDS = 24 * 60 * 60


@pytest.fixture
def token(stack: Stack) -> str:
    return stack.sign_in()["AccessToken"]


@pytest.fixture
def stream_id() -> str:
    return str(uuid.uuid4())


def cancel_by_url(stack: Stack, token: str, stream_id: str) -> None:
    answer = stack.function_url("DELETE", f"streams/{stream_id}", token)
    assert (answer.status_code, answer.text) == (204, "")


def cancel_by_socket(stack: Stack, token: str, stream_id: str) -> None:
    with stack.connection(token) as another:
        another.say("cancel", stream_id)


def cancel_by_mutation(stack: Stack, token: str, stream_id: str) -> None:
    answer = stack.graphql(token, CANCEL_STREAM, id=stream_id)
    assert answer == {"data": {"cancelStream": {"sessionId": stream_id}}}


def assert_stopped(stack: Stack, received: Events, since: float) -> None:
    """It ends early, well-formed, with the text so far, and the model writes no more."""
    assert [event["seq"] for event in received] == list(range(len(received)))
    assert (received[-1]["type"], received[-1]["stop_reason"]) == ("done", "cancelled")
    assert "usage" not in received[-1]
    answer, written = text_of(received), stack.model_calls()[-1]["text"]
    assert written.startswith(answer)
    assert answer != written
    wait_for(lambda: stack.journal.entries("model_stopped", since), "the model's end", 5)


def text_of(received: Events) -> str:
    return "".join(event["text"] for event in received if event["type"] == "delta")


def sub_of(token: str) -> str:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]


def test_a_stream_is_stopped_on_its_connection(stack: Stack, token: str, stream_id: str) -> None:
    since = time.time()
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt=SLOWLY)
        received = connection.events_until("delta")
        connection.say("cancel", stream_id)
        received += connection.events_until("done", "error")

    assert_stopped(stack, received, since)


@pytest.mark.parametrize("cancel", [cancel_by_url, cancel_by_socket, cancel_by_mutation])
def test_a_stream_is_stopped_from_anywhere_else(
    stack: Stack, token: str, stream_id: str, cancel: Callable[[Stack, str, str], None]
) -> None:
    since = time.time()
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt=SLOWLY)
        received = connection.events_until("delta")
        cancel(stack, token, stream_id)
        received += connection.events_until("done", "error")

    assert_stopped(stack, received, since)
    # Once more does no harm: who asks cannot know that it has ended.
    cancel(stack, token, stream_id)


def test_function_url_stops_while_it_answers(stack: Stack, token: str, stream_id: str) -> None:
    since, calls = time.time(), len(stack.model_calls())
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(stack.stream_by_url, token, stream_id, SLOWLY)
        wait_for(lambda: len(stack.model_calls()) > calls, "the model", 20)
        cancel_by_url(stack, token, stream_id)
        assert_stopped(stack, answer.result(), since)


def test_appsync_stops_what_the_worker_answers(stack: Stack, token: str, stream_id: str) -> None:
    since = time.time()
    stack.start_stream(token, stream_id, SLOWLY)
    wait_for(lambda: len(stack.journal.published(stream_id)) > 1, "a token", 20)
    cancel_by_mutation(stack, token, stream_id)

    terminal = wait_for(lambda: stack.published_terminal(stream_id), "the end of the stream", 20)
    assert (terminal["type"], terminal["stopReason"]) == ("DONE", "cancelled")
    assert_stopped(stack, stack.logged(token, stream_id), since)


def test_a_stream_is_resumed_after_its_connection_was_lost(stack: Stack, token: str, stream_id: str) -> None:
    since, calls = time.time(), len(stack.model_calls())
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt=SLOWLY)
        before = connection.events_until("delta")
    with stack.connection(token) as connection:
        connection.say("resume", stream_id, after=before[-1]["seq"])
        after = connection.events_until("done", "error")

    whole = stack.logged(token, stream_id)
    assert before + after == whole
    assert whole[-1]["stop_reason"] == "end_turn"
    assert stack.journal.entries("model_stopped", since) == []
    assert len(stack.model_calls()) == calls + 1
    assert text_of(whole) == stack.model_calls()[-1]["text"]


def test_a_stream_of_one_transport_is_resumed_on_each(stack: Stack, token: str, stream_id: str) -> None:
    whole = stack.stream_by_url(token, stream_id)
    middle = whole[2]["seq"]

    assert stack.logged(token, stream_id) == whole
    by_query = stack.function_url("GET", f"streams/{stream_id}?after={middle}", token)
    assert events(by_query) == whole[3:]
    with stack.connection(token) as connection:
        connection.say("resume", stream_id, after=middle)
        assert connection.events_until("done", "error") == whole[3:]
    told = stack.graphql(token, STREAM_EVENTS, id=stream_id, after=middle)["data"]["streamEvents"]
    assert told["ended"]
    assert [(event["seq"], event["text"]) for event in told["events"]] == [
        (event["seq"], event.get("text")) for event in whole[3:]
    ]


def test_appsync_tells_again_what_was_published(stack: Stack, token: str) -> None:
    session, _ = stack.start_stream(token)
    wait_for(lambda: stack.published_terminal(session), "the end of the stream", 20)

    def ended() -> Any:
        told = stack.graphql(token, STREAM_EVENTS, id=session)["data"]["streamEvents"]
        return told["ended"] and told["events"]

    logged = wait_for(ended, "the end of the log", 5)
    published = [event for _, event in stack.journal.published(session)]
    assert [(event["type"], event["seq"], event["text"]) for event in logged] == [
        (event["type"], event["seq"], event["text"]) for event in published
    ]


def test_the_same_request_under_the_same_id_is_answered_once(
    stack: Stack, token: str, stream_id: str
) -> None:
    whole, calls = stack.stream_by_url(token, stream_id), len(stack.model_calls())

    assert stack.stream_by_url(token, stream_id) == whole
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt="Why?")
        assert connection.events_until("done", "error") == whole
    _, answer = stack.start_stream(token, stream_id, "Why?")
    assert answer == {"data": {"startStream": {"sessionId": stream_id}}}
    assert len(stack.model_calls()) == calls


def test_another_request_under_the_same_id_is_a_conflict(stack: Stack, token: str, stream_id: str) -> None:
    stack.stream_by_url(token, stream_id)
    calls = len(stack.model_calls())

    request = {"stream_id": stream_id, "prompt": "Something else?"}
    answer = stack.function_url("POST", "", token, json=request)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt="Something else?")
        (event,) = connection.events_until("error", "done")
    assert (event["code"], event["stream_id"]) == ("conflict", stream_id)
    _, answer = stack.start_stream(token, stream_id, "Something else?")
    assert answer["errors"][0]["errorType"] == "conflict"
    assert len(stack.model_calls()) == calls


def test_a_request_whose_answer_runs_is_a_conflict(stack: Stack, token: str, stream_id: str) -> None:
    with stack.connection(token) as connection:
        connection.say("stream", stream_id, prompt=SLOWLY)
        connection.events_until("delta")
        request = {"stream_id": stream_id, "prompt": SLOWLY}
        answer = stack.function_url("POST", "", token, json=request)
        connection.say("cancel", stream_id)
        connection.events_until("done", "error")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("whose", ["nobody's", "somebody else's"])
def test_what_is_not_ones_own_is_not_found(stack: Stack, token: str, stream_id: str, whose: str) -> None:
    if whose == "somebody else's":
        stack.stream_by_url(token, stream_id)
    stranger = stack.new_user()

    for method in ("GET", "DELETE"):
        answer = stack.function_url(method, f"streams/{stream_id}", stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    with stack.connection(stranger) as connection:
        for action in ("resume", "cancel"):
            connection.say(action, stream_id)
            (event,) = connection.events_until("error", "done")
            assert (event["code"], event["stream_id"]) == ("not_found", stream_id)
    for query in (CANCEL_STREAM, STREAM_EVENTS):
        answer = stack.graphql(stranger, query, id=stream_id)
        assert answer["errors"][0]["errorType"] == "not_found"
    if whose == "somebody else's":
        assert stack.logged(token, stream_id)[-1]["type"] == "done"


def test_a_user_who_has_used_up_the_day_is_told_when_to_come_back(stack: Stack, token: str) -> None:
    capped = stack.new_user()
    numbers = {"usage_day": int(time.time()) // DAY_SECONDS, "tokens": 200_000, "rev": 1}
    account = {
        "pk": {"S": f"user#{sub_of(capped)}"},
        "sk": {"S": "usage"},
        "running": {"M": {}},
        **{name: {"N": str(number)} for name, number in numbers.items()},
    }
    stack.emulator.client("dynamodb").put_item(TableName=TABLE, Item=account)
    calls = len(stack.model_calls())

    answer = stack.function_url("POST", "", capped, json={"prompt": "Why?"})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after"] <= DAY_SECONDS
    _, refusal = stack.start_stream(capped)
    assert refusal["errors"][0]["errorType"] == "rate_limited"
    assert len(stack.model_calls()) == calls
    # Nobody else pays for it.
    assert stack.stream_by_url(token, str(uuid.uuid4()))[-1]["type"] == "done"


def test_all_that_is_logged_of_a_stream_expires_within_a_day(
    stack: Stack, token: str, stream_id: str
) -> None:
    stack.stream_by_url(token, stream_id)
    dynamodb = stack.emulator.client("dynamodb")
    ttl = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}

    key = {":key": {"S": f"stream#{sub_of(token)}#{stream_id}"}}
    items = dynamodb.query(
        TableName=TABLE, KeyConditionExpression="pk = :key", ExpressionAttributeValues=key
    )["Items"]
    assert [item["sk"]["S"].partition("#")[0] for item in items] == [*["chunk"] * (len(items) - 1), "head"]
    assert len(items) > 1
    for item in items:
        assert 0 < int(item["expires_at"]["N"]) - time.time() <= DAY_SECONDS
