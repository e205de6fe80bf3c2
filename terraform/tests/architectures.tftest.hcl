# Each architecture can be left out, and takes everything of its own along.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "tests/packages"
}

run "without_function_url" {
  command = apply
  variables {
    architectures = ["websocket-api", "appsync"]
  }

  assert {
    condition     = length(module.function_url) == 0 && length(module.websocket_api) == 1 && length(module.appsync) == 1
    error_message = "function-url is left out, and nothing else."
  }

  assert {
    condition     = output.function_url == null && output.websocket_url != null && output.graphql_url != null
    error_message = "The output of what is left out is null."
  }

  assert {
    condition = jsonencode(keys(output.function_names)) == jsonencode([
      "appsync-request", "appsync-worker", "websocket-api-authorizer", "websocket-api-session", "websocket-api-stream",
    ])
    error_message = "The functions of the others remain."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 18 && alltrue([for name in keys(module.monitoring.alarms) : !strcontains(name, "function-url")])
    error_message = "Nothing watches what is left out."
  }
}

run "without_websocket_api" {
  command = apply
  variables {
    architectures = ["function-url", "appsync"]
  }

  assert {
    condition     = length(module.function_url) == 1 && length(module.websocket_api) == 0 && length(module.appsync) == 1
    error_message = "websocket-api is left out, and nothing else."
  }

  assert {
    condition     = output.function_url != null && output.websocket_url == null && output.graphql_url != null
    error_message = "The output of what is left out is null."
  }

  assert {
    condition     = jsonencode(keys(output.function_names)) == jsonencode(["appsync-request", "appsync-worker", "function-url"])
    error_message = "The functions of the others remain."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 14 && alltrue([for name in keys(module.monitoring.alarms) : !strcontains(name, "websocket-api")])
    error_message = "Nothing watches what is left out."
  }
}

run "without_appsync" {
  command = apply
  variables {
    architectures = ["function-url", "websocket-api"]
  }

  assert {
    condition     = length(module.function_url) == 1 && length(module.websocket_api) == 1 && length(module.appsync) == 0
    error_message = "appsync is left out, and nothing else."
  }

  assert {
    condition     = output.graphql_url == null && output.graphql_realtime_url == null && output.dead_letter_queue_url == null
    error_message = "The outputs of what is left out are null."
  }

  assert {
    condition     = output.function_url != null && output.websocket_url != null
    error_message = "The others are there."
  }

  assert {
    condition = jsonencode(keys(output.function_names)) == jsonencode([
      "function-url", "websocket-api-authorizer", "websocket-api-session", "websocket-api-stream",
    ])
    error_message = "The functions of the others remain."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 14 && alltrue([for name in keys(module.monitoring.alarms) : !strcontains(name, "appsync") && !strcontains(name, "prompts")])
    error_message = "Nothing watches what is left out."
  }
}
