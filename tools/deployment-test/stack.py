"""The deployment in use: what a client, and an operator, can ask of it."""

import json
import os
import subprocess
import uuid
from typing import Any

import requests

from addresses import local
from deployment import REPOSITORY, Deployment
from emulator import Emulator

PROBE = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "probe"
START_STREAM = (
    "mutation ($id: ID!, $prompt: String) { startStream(sessionId: $id, prompt: $prompt) { sessionId } }"
)


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

    def start_stream(self, token: str) -> tuple[str, dict[str, Any]]:
        """The session's id, and what AppSync answered."""
        session = str(uuid.uuid4())
        request = {"query": START_STREAM, "variables": {"id": session, "prompt": "Why is the sky blue?"}}
        answer = requests.post(
            self.local_settings["VITE_GRAPHQL_URL"],
            headers={"authorization": token},
            json=request,
            timeout=20,
        )
        return session, answer.json()

    def published_terminal(self, session: str) -> dict[str, Any] | None:
        """The event that ended the session's stream, once it is published."""
        events = [event for _, event in self.journal.published(session)]
        return next((event for event in events if event["type"] in ("DONE", "ERROR")), None)

    def queue_url(self, name: str) -> str:
        return self.emulator.client("sqs").get_queue_url(QueueName=f"tristream-{name}")["QueueUrl"]

    def model_calls(self) -> list[dict[str, Any]]:
        return self.journal.entries("model_call")
