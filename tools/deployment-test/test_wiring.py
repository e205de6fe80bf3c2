"""`make local` runs what Terraform deploys: functions, settings, limits, rights, routes, queue, table."""

import json
import os
import subprocess

import pytest

from deployment import REPOSITORY
from stack import Stack
from wiring import of_local_cloud, of_terraform

LOCAL_CLOUD = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "local-cloud"


@pytest.mark.parametrize("part", ["functions", "queue", "table", "websocket_api", "cors"])
def test_local_cloud_is_wired_as_terraform_deploys(stack: Stack, part: str) -> None:
    table = subprocess.run([LOCAL_CLOUD, "wiring"], capture_output=True, check=True, timeout=20).stdout
    state = stack.deployment.terraform("show", "-json", plain=False).stdout

    assert of_local_cloud(json.loads(table))[part] == of_terraform(json.loads(state), "tristream")[part]
