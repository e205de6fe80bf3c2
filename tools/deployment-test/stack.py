"""The deployment in use: what a client, and an operator, can ask of it."""

import json
import os
import subprocess
import uuid
from typing import Any, Self

import requests
from websockets.sync.client import ClientConnection, connect

from addresses import local
from deployment import REPOSITORY, Deployment
from emulator import Emulator

PROBE = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "probe"
# The model takes its time for a prompt with this word in it.
SLOWLY = "Say slowly why the sky is blue."
START_STREAM = (
    "mutation ($id: ID!, $prompt: String) { startStream(sessionId: $id, prompt: $prompt) { sessionId } }"
)
CANCEL_STREAM = "mutation ($id: ID!) { cancelStream(sessionId: $id) { sessionId } }"
STREAM_EVENTS = """query ($id: ID!, $after: Int) {
  streamEvents(sessionId: $id, after: $after) { events { sessionId type seq text stopReason } ended }
}"""


class Stack:
    def __init__(self, emulator: Emulator, deployment: Deployment, deploy_said: str):
        self.emulator = emulator
        self.journal = emulator.journal
        self.deployment = deployment
        self.outputs = deployment.outputs()
        self.deploy_said = deploy_said
        self.user_said = deployment.run("scripts/create-test-user.sh").stdout
        lines = (deployment.directory / "frontend/.env").read_text().splitlines()
        # As written, and with the emulator's addresses in place of those of AWS.
        self.settings = dict(line.split("=", 1) for line in lines)
        self.local_settings = {name: local(value, emulator.endpoint) for name, value in self.settings.items()}

    def probe(self, architecture: str, timeout_seconds: int = 20) -> dict[str, Any]:
        """Signs in and streams an answer with the client that people use; what it measured, with the text."""
        ended = subprocess.run(
            [
                *(PROBE, "--via", architecture, "--json", "--json-text", "--timeout", str(timeout_seconds)),
                *("--env-file", os.devnull, "Why is the sky blue?"),
            ],
            env={**self.local_settings, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if not ended.stdout:
            raise RuntimeError(ended.stderr)
        return json.loads(ended.stdout)["results"][0]

    def sign_in(self, user: str = "testuser", password: str = "TestPassword123!") -> dict[str, str]:
        """A user's tokens: `AccessToken`, `IdToken`, `RefreshToken`."""
        return self.emulator.client("cognito-idp").initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
            ClientId=self.outputs["user_pool_client_id"],
        )["AuthenticationResult"]

    def ask_function_url(self, token: str | None) -> requests.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return requests.post(
            self.local_settings["VITE_FUNCTION_URL"], headers=headers, json={"prompt": "Why?"}, timeout=20
        )

    def function_url(self, method: str, path: str, token: str, **request: Any) -> requests.Response:
        """The answer to a signed-in user, an event a line."""
        headers = {"authorization": f"Bearer {token}", "accept": "application/x-ndjson"}
        address = self.local_settings["VITE_FUNCTION_URL"] + path
        return requests.request(method, address, headers=headers, timeout=30, **request)

    def stream_by_url(self, token: str, stream_id: str, prompt: str = "Why?") -> list[dict[str, Any]]:
        request = {"stream_id": stream_id, "prompt": prompt}
        return events(self.function_url("POST", "", token, json=request))

    def logged(self, token: str, stream_id: str) -> list[dict[str, Any]]:
        """A whole stream, out of the log."""
        return events(self.function_url("GET", f"streams/{stream_id}", token))

    def open_socket(self, *subprotocols: str) -> ClientConnection:
        return connect(
            self.local_settings["VITE_WEBSOCKET_URL"],
            subprotocols=list(subprotocols) or None,
            proxy=None,
            open_timeout=20,
        )

    def connection(self, token: str) -> "Connection":
        return Connection(self.open_socket("llm-stream.v1", f"bearer.{token}"))

    def graphql(self, token: str, query: str, **variables: Any) -> dict[str, Any]:
        return requests.post(
            self.local_settings["VITE_GRAPHQL_URL"],
            headers={"authorization": token},
            json={"query": query, "variables": variables},
            timeout=20,
        ).json()

    def start_stream(
        self, token: str, session: str = "", prompt: str = "Why is the sky blue?"
    ) -> tuple[str, dict[str, Any]]:
        """The session's id, and what AppSync answered."""
        session = session or str(uuid.uuid4())
        return session, self.graphql(token, START_STREAM, id=session, prompt=prompt)

    def new_user(self) -> str:
        """The access token of a user who has done nothing yet."""
        name, password = f"user-{uuid.uuid4().hex[:8]}", "SomePassword123!"
        self.deployment.run("scripts/create-test-user.sh", name, password)
        return self.sign_in(name, password)["AccessToken"]

    def published_terminal(self, session: str) -> dict[str, Any] | None:
        """The event that ended the session's stream, once it is published."""
        events = [event for _, event in self.journal.published(session)]
        return next((event for event in events if event["type"] in ("DONE", "ERROR")), None)

    def queue_url(self, name: str) -> str:
        return self.emulator.client("sqs").get_queue_url(QueueName=f"tristream-{name}")["QueueUrl"]

    def model_calls(self) -> list[dict[str, Any]]:
        return self.journal.entries("model_call")


class Connection:
    """A WebSocket connection of a signed-in user. Use as a context."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, action: str, stream_id: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"action": action, "stream_id": stream_id, **fields}))

    def events_until(self, *types: str) -> list[dict[str, Any]]:
        """Those that come up to one of these types."""
        received: list[dict[str, Any]] = []
        while not received or received[-1]["type"] not in types:
            received.append(json.loads(self.socket.recv(timeout=20)))
        return received


def events(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.ok, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]
