"""What `make local` is wired by (`local-cloud wiring`), what Terraform has deployed (`terraform show -json`).

Both are brought into one shape, so that a difference shows as a difference of two dictionaries."""

import json
from collections.abc import Iterator
from typing import Any

# Rights that belong to AWS's side of a function: local-cloud writes logs and polls queues without any.
NOT_THE_FUNCTIONS_OWN = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}


def of_local_cloud(table: dict[str, Any]) -> dict[str, Any]:
    api = table["websocket_api"]
    return {
        "functions": {
            function["name"]: {
                "timeout": function["timeout_seconds"],
                "memory": function["memory_mb"],
                "actions": sorted(function["actions"]),
                "environment": {
                    name: table["defaults"].get(value, value) for name, value in function["environment"]
                },
            }
            for function in table["functions"]
        },
        "queue": table["queue"],
        "table": table["table"],
        "websocket_api": {
            "stage": api["stage"],
            "authorizer": {"$connect": api["authorizer"]},
            "routes": {route: [function, asynchronous] for route, function, asynchronous in api["routes"]},
        },
        # In any order: it means nothing, and Terraform sorts.
        "cors": {name: in_order(value) for name, value in table["cors"].items()},
    }


def of_terraform(state: dict[str, Any], name_prefix: str) -> dict[str, Any]:
    deployed = Deployed(state, name_prefix)
    return {
        "functions": {
            deployed.short(function): deployed.function(function) for function in deployed.functions
        },
        "queue": deployed.queue(),
        "table": deployed.table(),
        "websocket_api": deployed.websocket_api(),
        "cors": deployed.cors(),
    }


class Deployed:
    def __init__(self, state: dict[str, Any], name_prefix: str):
        self.resources = list(in_module(state["values"]["root_module"]))
        self.prefix = f"{name_prefix}-"
        self.functions = self.all("aws_lambda_function")

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [resource["values"] for resource in self.resources if resource["type"] == kind]

    def only(self, kind: str, **values: Any) -> dict[str, Any]:
        found = [
            resource
            for resource in self.all(kind)
            if all(resource[name] == value for name, value in values.items())
        ]
        assert len(found) == 1, f"{len(found)} of {kind} with {values}"
        return found[0]

    def short(self, function: dict[str, Any]) -> str:
        return function["function_name"].removeprefix(self.prefix)

    def function(self, function: dict[str, Any]) -> dict[str, Any]:
        environment = (function["environment"] or [{"variables": {}}])[0]["variables"]
        return {
            "timeout": function["timeout"],
            "memory": function["memory_size"],
            "actions": sorted(self.actions(function["function_name"])),
            "environment": {name: self.settings().get(value, value) for name, value in environment.items()},
        }

    def actions(self, role: str) -> set[str]:
        """local-cloud has no ARNs: it names the field that `appsync:GraphQL` is limited to."""
        actions = set()
        for policy in self.all("aws_iam_role_policy"):
            if policy["role"] == role:
                for statement in listed(json.loads(policy["policy"])["Statement"]):
                    for action in listed(statement["Action"]):
                        field = listed(statement["Resource"])[0].partition("/types/")[2]
                        actions.add(f"{action}:{field.replace('/fields/', '.')}" if field else action)
        return actions - NOT_THE_FUNCTIONS_OWN

    def settings(self) -> dict[str, str]:
        """What a value in a function's environment is, by the value."""
        pool, api = self.only("aws_cognito_user_pool"), self.only("aws_apigatewayv2_api")
        issuer = f"https://cognito-idp.{pool['arn'].split(':')[3]}.amazonaws.com/{pool['id']}"
        stage = self.only("aws_apigatewayv2_stage")["name"]
        return {
            issuer: "cognito_issuer",
            f"{issuer}/.well-known/jwks.json": "cognito_jwks_url",
            self.only("aws_cognito_user_pool_client")["id"]: "cognito_client_id",
            self.only("aws_sqs_queue", name=f"{self.prefix}prompts")["url"]: "queue_url",
            self.only("aws_appsync_graphql_api")["uris"]["GRAPHQL"]: "graphql_url",
            api["api_endpoint"].replace("wss://", "https://") + f"/{stage}": "connections_url",
            self.only("aws_dynamodb_table")["name"]: "stream_log_table",
        }

    def queue(self) -> dict[str, Any]:
        source = self.only("aws_lambda_event_source_mapping")
        queue = self.only("aws_sqs_queue", arn=source["event_source_arn"])
        redrive = json.loads(queue["redrive_policy"])
        dead_letters = self.only("aws_sqs_queue", arn=redrive["deadLetterTargetArn"])
        return {
            "name": queue["name"],
            "dead_letter_queue": dead_letters["name"],
            "visibility_timeout_seconds": queue["visibility_timeout_seconds"],
            "retention_seconds": queue["message_retention_seconds"],
            "dead_letter_retention_seconds": dead_letters["message_retention_seconds"],
            "max_receive_count": redrive["maxReceiveCount"],
            "batch_size": source["batch_size"],
            "maximum_concurrency": source["scaling_config"][0]["maximum_concurrency"],
        }

    def table(self) -> dict[str, Any]:
        table = self.only("aws_dynamodb_table")
        return {
            "name": table["name"],
            "hash_key": table["hash_key"],
            "range_key": table["range_key"],
            "ttl": table["ttl"][0]["attribute_name"] if table["ttl"][0]["enabled"] else None,
        }

    def websocket_api(self) -> dict[str, Any]:
        integrations = {
            integration["id"]: integration for integration in self.all("aws_apigatewayv2_integration")
        }
        authorizers = {authorizer["id"]: authorizer for authorizer in self.all("aws_apigatewayv2_authorizer")}
        routes, authorized = {}, {}
        for route in self.all("aws_apigatewayv2_route"):
            integration = integrations[route["target"].removeprefix("integrations/")]
            headers = integration["request_parameters"] or {}
            asynchronous = headers.get("integration.request.header.X-Amz-Invocation-Type") == "'Event'"
            routes[route["route_key"]] = [self.invoked(integration["integration_uri"]), asynchronous]
            if route["authorizer_id"]:
                authorized[route["route_key"]] = self.invoked(
                    authorizers[route["authorizer_id"]]["authorizer_uri"]
                )
        stage = self.only("aws_apigatewayv2_stage")["name"]
        return {"stage": stage, "authorizer": authorized, "routes": routes}

    def invoked(self, invoke_arn: str) -> str:
        return self.short(self.only("aws_lambda_function", invoke_arn=invoke_arn))

    def cors(self) -> dict[str, Any]:
        cors = self.only("aws_lambda_function_url")["cors"][0]
        return {
            "methods": in_order(cors["allow_methods"]),
            "headers": in_order(cors["allow_headers"]),
            "expose_headers": in_order(cors["expose_headers"]),
            "max_age_seconds": cors["max_age"],
        }


def in_module(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (resource for resource in module.get("resources", []) if resource["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from in_module(child)


def in_order(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
