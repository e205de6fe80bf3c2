"""Destroying needs no zips and leaves nothing. The last test: afterwards there is no deployment."""

from stack import Stack


def test_destroy_needs_no_zips_and_leaves_nothing_behind(stack: Stack) -> None:
    assert everything(stack) != []
    (stack.deployment.directory / "dist").unlink()

    stack.deployment.destroy()

    assert stack.deployment.resources() == []
    assert everything(stack) == []


def everything(stack: Stack) -> list[str]:
    """The names of all that there is of the kinds that the modules make."""
    ask = stack.emulator.client
    alarms = ask("cloudwatch").describe_alarms()
    stacks = ask("cloudformation").list_stacks()["StackSummaries"]
    found = {
        "function": [item["FunctionName"] for item in ask("lambda").list_functions()["Functions"]],
        "event source": [
            item["UUID"] for item in ask("lambda").list_event_source_mappings()["EventSourceMappings"]
        ],
        "role": [item["RoleName"] for item in ask("iam").list_roles()["Roles"]],
        "log group": [item["logGroupName"] for item in ask("logs").describe_log_groups()["logGroups"]],
        "table": ask("dynamodb").list_tables()["TableNames"],
        "queue": ask("sqs").list_queues().get("QueueUrls", []),
        "user pool": [
            item["Name"] for item in ask("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        ],
        "WebSocket API": [item["Name"] for item in ask("apigatewayv2").get_apis()["Items"]],
        "GraphQL API": [item["name"] for item in ask("appsync").list_graphql_apis()["graphqlApis"]],
        "CloudFormation stack": [
            item["StackName"] for item in stacks if item["StackStatus"] != "DELETE_COMPLETE"
        ],
        "alarm": [item["AlarmName"] for item in alarms["MetricAlarms"] + alarms["CompositeAlarms"]],
        "dashboard": [
            item["DashboardName"] for item in ask("cloudwatch").list_dashboards()["DashboardEntries"]
        ],
    }
    return [f"{kind} {name}" for kind, names in found.items() for name in names]
