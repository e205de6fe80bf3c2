"""What the scripts make of a deployment's outputs."""

import json
import os
import shutil
from pathlib import Path

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
