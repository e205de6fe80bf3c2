"""Each architecture answers from end to end, over time where the emulator can, and nothing is refused."""

import pytest
from botocore.exceptions import ClientError

from emulator import FRAME_PAUSE_SECONDS, wait_for
from stack import Stack

# The model's text comes in six frames or more.
SPREAD_SECONDS = 4 * FRAME_PAUSE_SECONDS


def test_the_client_gets_an_address_for_everything_that_it_uses(stack: Stack) -> None:
    assert [name for name, value in stack.settings.items() if not value] == []
    assert stack.settings["VITE_WEBSOCKET_URL"].startswith("wss://")
    assert stack.settings["VITE_WEBSOCKET_URL"].endswith(".execute-api.us-east-1.amazonaws.com/live")


def test_deploying_says_what_to_do_next(stack: Stack) -> None:
    for command in ("scripts/create-test-user.sh", "make smoke", "terraform -chdir=terraform destroy"):
        assert f"\n  {command} " in stack.deploy_said
    assert "/cloudwatch/home?region=us-east-1#dashboards/dashboard/tristream\n" in stack.deploy_said


def test_a_user_who_is_there_already_gets_the_new_password(stack: Stack) -> None:
    stack.deployment.run("scripts/create-test-user.sh", "ada", "OnePassword123!")
    stack.deployment.run("scripts/create-test-user.sh", "ada", "AnotherPassword123!")

    assert stack.sign_in("ada", "AnotherPassword123!")["AccessToken"]
    assert stack.sign_in("ada@example.com", "AnotherPassword123!")["AccessToken"]
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        stack.sign_in("ada", "OnePassword123!")


def test_the_test_user_signs_in_as_browsers_do(stack: Stack) -> None:
    assert "testuser can sign in" in stack.user_said
    stack.probe("function-url")
    assert stack.journal.entries("sign_in")[-1]["flow"] == "USER_SRP_AUTH"


def test_websocket_api_delivers_while_the_model_still_writes(stack: Stack) -> None:
    answer = stack.probe("websocket-api")

    assert (answer["outcome"], answer["message"]) == ("done", None)
    assert answer["text"] == stack.model_calls()[-1]["text"]
    assert answer["deltas"] >= 5
    assert answer["total_ms"] - answer["first_token_ms"] > SPREAD_SECONDS * 1000


def test_function_url_delivers_the_whole_answer(stack: Stack) -> None:
    answer = stack.probe("function-url")

    assert (answer["outcome"], answer["message"]) == ("done", None)
    assert answer["text"] == stack.model_calls()[-1]["text"]


def test_appsync_publishes_in_order_while_the_model_still_writes(stack: Stack) -> None:
    session, answer = stack.start_stream(stack.sign_in()["AccessToken"])
    assert answer == {"data": {"startStream": {"sessionId": session}}}
    wait_for(lambda: stack.published_terminal(session), "the end of the stream", 20)

    times, events = zip(*stack.journal.published(session), strict=True)
    assert [event["seq"] for event in events] == list(range(len(events)))
    deltas = [event for event in events if event["type"] == "DELTA"]
    assert [event["type"] for event in events] == ["START", *["DELTA"] * len(deltas), "DONE"]
    assert "".join(event["text"] for event in deltas) == stack.model_calls()[-1]["text"]
    assert times[-2] - times[1] > SPREAD_SECONDS


def test_appsync_names_the_signed_in_user_as_the_owner(stack: Stack) -> None:
    session, _ = stack.start_stream(stack.sign_in()["AccessToken"])
    wait_for(lambda: stack.published_terminal(session), "the end of the stream", 20)

    user = stack.emulator.client("cognito-idp").admin_get_user(
        UserPoolId=stack.outputs["user_pool_id"], Username="testuser"
    )
    sub = next(attribute["Value"] for attribute in user["UserAttributes"] if attribute["Name"] == "sub")
    assert {event["owner"] for _, event in stack.journal.published(session)} == {sub}


def test_the_roles_lack_nothing_that_the_functions_do(stack: Stack) -> None:
    assert stack.journal.entries("denied") == []
