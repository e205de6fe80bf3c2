"""What the scripts make of a deployment's outputs."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from deployment import Deployment

OUTPUTS = {
    "region": "eu-west-1",
    "user_pool_id": "eu-west-1_pool",
    "user_pool_client_id": "client",
    "function_url": "https://u.lambda-url.eu-west-1.on.aws/",
    "websocket_url": None,
    "graphql_url": None,
    "graphql_realtime_url": None,
}


def test_an_architecture_that_is_left_out_has_an_empty_address(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, {"PATH": os.environ["PATH"]})
    outputs = {name: {"value": value, "type": "string"} for name, value in OUTPUTS.items()}
    state = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": outputs}
    # The state alone: with the sources, Terraform would ask for the provider.
    shutil.rmtree(tmp_path / "terraform")
    (tmp_path / "terraform").mkdir()
    (tmp_path / "terraform/terraform.tfstate").write_text(json.dumps(state))

    deployment.run("scripts/frontend-env.sh")

    assert (tmp_path / "frontend/.env").read_text().splitlines() == [
        "VITE_AWS_REGION=eu-west-1",
        "VITE_USER_POOL_ID=eu-west-1_pool",
        "VITE_USER_POOL_CLIENT_ID=client",
        "VITE_USER_POOL_ENDPOINT=",
        "VITE_AUTH_FLOW=USER_SRP_AUTH",
        "VITE_FUNCTION_URL=https://u.lambda-url.eu-west-1.on.aws/",
        "VITE_WEBSOCKET_URL=",
        "VITE_GRAPHQL_URL=",
        "VITE_GRAPHQL_REALTIME_URL=",
    ]


@pytest.mark.parametrize(
    ("script", "missing", "complaint"),
    [
        ("deploy.sh", "", "no AWS credentials that work: run `aws configure`"),
        ("create-test-user.sh", "", "no AWS credentials that work: run `aws configure`"),
        ("deploy.sh", "aws", "aws is missing: install the AWS CLI from https://"),
        (
            "terraform-init.sh",
            "terraform",
            "terraform is missing: install Terraform 1.9 or later from https://",
        ),
        ("frontend-env.sh", "", "nothing is deployed from here: run `make deploy` first"),
        ("smoke.sh", "", "frontend/.env is missing: run `make deploy`"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    tmp_path: Path, script: str, missing: str, complaint: str
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in {"aws", "terraform", "python3", "cargo"} - {missing}:
        path = shutil.which(tool, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        # By its path: as a link, Python would not find its packages.
        (tools / tool).write_text(f'#!/bin/sh\nexec {path} "$@"\n')
        (tools / tool).chmod(0o755)
    for tool in ("bash", "cat", "dirname", "env", "sed", "tail"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    environment = {"PATH": str(tools), "AWS_EC2_METADATA_DISABLED": "true", **nothing}
    deployment = Deployment(tmp_path / "project", environment)

    ended = deployment.run(f"scripts/{script}", allowed=(1,))

    assert ended.stderr.startswith(complaint)
    assert ended.stderr.count("\n") == 1
