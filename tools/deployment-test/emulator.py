"""The AWS account of the test: MiniStack with IAM enforced, moto for CloudWatch, on free loopback ports."""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
# The account's root user, whom no policy binds.
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# Between two frames of the model. Longer than any function gathers tokens for (100 ms): each leaves alone.
FRAME_PAUSE_SECONDS = 0.15
# Where the prompt asks for it: time to stop an answer, or to lose its connection, in the middle.
SLOW_FRAME_PAUSE_SECONDS = 1.0


class Emulator:
    """Use as a context: at its end nothing is left running, and nothing on disk outside of `directory`."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.journal = Journal(directory / "journal.jsonl")
        self.log = directory / "ministack.log"

    def __enter__(self) -> "Emulator":
        # MiniStack forgets an alarm's settings, which Terraform takes for drift.
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.moto.start()
        self.cloudwatch_endpoint = "http://{}:{}".format(*self.moto.get_host_and_port())
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.ministack = self.start_ministack(port)
        try:
            wait_for(self.is_ready, "MiniStack", 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.ministack.stdin:
            self.ministack.stdin.close()
        # The functions are in its process group.
        os.killpg(self.ministack.pid, signal.SIGKILL)
        self.ministack.wait()
        self.moto.stop()

    def start_ministack(self, port: int) -> subprocess.Popen:
        state, scratch = self.directory / "state", self.directory / "tmp"
        for directory in (state, scratch):
            directory.mkdir(parents=True)
        self.journal.path.touch()
        # Functions inherit it, so there is nothing of this machine in it.
        environment = {
            "PATH": os.pathsep.join(["/usr/bin", "/bin", str(Path(shutil.which("node") or "").parent)]),
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "STATE_DIR": str(state),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",
            # It would remove the containers of another MiniStack of this machine.
            "DOCKER_HOST": "unix:///nonexistent",
        }
        wrapper = Path(__file__).with_name("ministack_wrapper.py")
        pauses = (FRAME_PAUSE_SECONDS, SLOW_FRAME_PAUSE_SECONDS)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-B", wrapper, self.journal.path, *map(str, pauses)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        if self.ministack.poll() is not None:
            raise RuntimeError(f"MiniStack ended: {self.log.read_text()[-2000:]}")
        try:
            return requests.get(f"{self.endpoint}/_ministack/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    def client_environment(self) -> dict[str, str]:
        """Points Terraform and the AWS CLI here and at nothing else, whatever this machine is set up for. The
        region is left out: who needs it has to say it."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))
        }
        if "TF_PLUGIN_DIR" in os.environ:
            inherited["TF_PLUGIN_DIR"] = os.environ["TF_PLUGIN_DIR"]
        return {
            **inherited,
            **ROOT,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited["PATH"]]),
            "NO_PROXY": "127.0.0.1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_CLOUDWATCH": self.cloudwatch_endpoint,
            "CHECKPOINT_DISABLE": "1",
        }

    def client(self, service: str, access_key: str = "", secret_key: str = "") -> Any:
        """A boto3 client of the root user, or of another."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.cloudwatch_endpoint if service == "cloudwatch" else self.endpoint,
            aws_access_key_id=access_key or ROOT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret_key or ROOT["AWS_SECRET_ACCESS_KEY"],
        )


class Journal:
    """What the wrapper noted, in order; times are seconds since 1970."""

    def __init__(self, path: Path):
        self.path = path

    def entries(self, kind: str, since: float = 0) -> list[dict[str, Any]]:
        # Whole lines only: the last one may still be written.
        lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        return [entry for entry in map(json.loads, lines) if entry["kind"] == kind and entry["at"] >= since]

    def published(self, session_id: str) -> list[tuple[float, dict[str, Any]]]:
        """When which event of a session was published, as subscribers would have received it."""
        answers = [
            (entry["at"], (entry["response"].get("data") or {}).get("publishToken"))
            for entry in self.entries("graphql")
        ]
        return [(at, event) for at, event in answers if event and event["sessionId"] == session_id]


def wait_for(condition: Callable[[], Any], what: str, seconds: float) -> Any:
    """What the condition says when it first holds."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.05)
    return result


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
