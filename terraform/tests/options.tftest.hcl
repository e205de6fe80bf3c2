# What an operator sets reaches every function and every alarm.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "tests/packages"
}

run "another_deployment" {
  command = apply
  variables {
    region               = "eu-central-1"
    name_prefix          = "chat"
    model_id             = "eu.amazon.nova-micro-v1:0"
    model_request_fields = "{}"
    max_output_tokens    = 200
    log_retention_days   = 7
    tracing              = true
    alarm_topic_arn      = "arn:aws:sns:eu-central-1:111122223333:on-call"
    flush_interval_ms    = { appsync = 100, websocket-api = 0 }
    tags                 = { CostCenter = "42", Project = "theirs" }

    stream_log_retention_hours         = 2
    max_streams_per_user               = 3
    max_output_tokens_per_user_per_day = 5000
    abandon_after_seconds              = 7
  }

  assert {
    condition     = output.region == "eu-central-1"
    error_message = "The region is the operator's."
  }

  assert {
    condition     = alltrue([for name, deployed in output.function_names : deployed == "chat-${name}"])
    error_message = "The prefix begins every function's name."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 23 && alltrue([for name in keys(module.monitoring.alarms) : startswith(name, "chat-")])
    error_message = "The prefix begins every alarm's name."
  }

  assert {
    condition = alltrue([
      for alarm in module.monitoring.alarms :
      jsonencode(alarm) == jsonencode({ begins = [var.alarm_topic_arn], ends = [var.alarm_topic_arn] })
    ])
    error_message = "Every alarm tells the topic when it begins and when it ends."
  }

  assert {
    condition     = endswith(output.dashboard_url, "#dashboards/dashboard/chat")
    error_message = "The prefix is the dashboard's name."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.log_retention_days == 7])
    error_message = "Every log is kept for as long as the operator says."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.tracing == "Active"])
    error_message = "Every function is traced."
  }

  assert {
    condition = alltrue([
      for name in ["function-url", "websocket-api-stream", "appsync-worker"] :
      local.functions[name].configuration.environment["MODEL_ID"] == "eu.amazon.nova-micro-v1:0" &&
      local.functions[name].configuration.environment["MODEL_REQUEST_FIELDS"] == "{}"
    ])
    error_message = "Every function that asks the model asks the operator's."
  }

  assert {
    condition = alltrue([
      for name in ["function-url", "websocket-api-stream", "appsync-request"] :
      local.functions[name].configuration.environment["MAX_OUTPUT_TOKENS"] == "200"
    ])
    error_message = "Every function that checks requests has the operator's limit."
  }

  assert {
    condition = alltrue([
      for name in ["function-url", "websocket-api-session", "websocket-api-stream", "appsync-request", "appsync-worker"] :
      local.functions[name].configuration.environment["STREAM_LOG_TABLE"] == "chat-streams"
    ]) && output.stream_log_table == "chat-streams"
    error_message = "The prefix begins the table's name, and every function that uses the table has it."
  }

  assert {
    condition = alltrue([
      for name in ["function-url", "websocket-api-stream", "appsync-request", "appsync-worker"] :
      local.functions[name].configuration.environment["STREAM_LOG_RETENTION_SECONDS"] == "7200"
    ])
    error_message = "Every function that writes the log keeps it for as long as the operator says."
  }

  assert {
    condition = alltrue([
      for name in ["function-url", "websocket-api-stream", "appsync-request"] :
      local.functions[name].configuration.environment["MAX_STREAMS_PER_USER"] == "3" &&
      local.functions[name].configuration.environment["MAX_OUTPUT_TOKENS_PER_USER_PER_DAY"] == "5000"
    ])
    error_message = "Every function that takes requests has the operator's caps per user."
  }

  assert {
    condition = alltrue([
      for name in ["function-url", "websocket-api-stream"] :
      local.functions[name].configuration.environment["ABANDON_AFTER_SECONDS"] == "7"
    ])
    error_message = "Every function whose connection can be lost waits as long as the operator says."
  }

  assert {
    condition = jsonencode({
      for name, function in local.functions : name => function.configuration.environment["FLUSH_INTERVAL_MS"]
      if can(function.configuration.environment["FLUSH_INTERVAL_MS"])
    }) == jsonencode({ appsync-worker = "100", websocket-api-stream = "0" })
    error_message = "Each function that pays for messages gathers as long as the operator says, and no other is told."
  }

  assert {
    condition     = jsonencode(local.tags) == jsonencode({ CostCenter = "42", Deployment = "chat", ManagedBy = "terraform", Project = "theirs" })
    error_message = "The operator's tags come on top of the project's."
  }

  # What no output shows, such as the allowed origins, is at least handed on.
  assert {
    condition     = jsonencode(distinct(flatten(regexall("(?m)^  (\\w+) += (?:[\"\\[0-9]|true|false|null)", file("${path.root}/main.tf"))))) == jsonencode(["source", "cpu_architecture_file"])
    error_message = "The root's modules get variables, locals and other modules, and nothing written down."
  }
}

run "nothing_extra" {
  command = apply
  variables {
    flush_interval_ms                  = { appsync = null }
    max_concurrent_streams             = null
    max_streams_per_user               = null
    max_output_tokens_per_user_per_day = null
    alarms                             = false
    alarm_topic_arn                    = "arn:aws:sns:us-east-1:111122223333:on-call"
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.reserved_concurrency == -1])
    error_message = "null reserves nothing."
  }

  assert {
    condition = alltrue([
      for function in local.functions :
      length(setintersection(keys(coalesce(function.configuration.environment, {})), ["MAX_STREAMS_PER_USER", "MAX_OUTPUT_TOKENS_PER_USER_PER_DAY"])) == 0
    ])
    error_message = "null caps nobody."
  }

  assert {
    condition     = !anytrue([for function in local.functions : can(function.configuration.environment["FLUSH_INTERVAL_MS"])])
    error_message = "null leaves the window to the function."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 0
    error_message = "alarms = false makes none."
  }
}

run "packages_that_say_nothing_of_a_cpu" {
  command = apply
  variables {
    package_dir   = "tests/packages/without-cpu-architecture"
    architectures = ["function-url"]
  }

  assert {
    condition     = module.function_url[0].functions["function-url"].configuration.cpu_architecture == "x86_64"
    error_message = "Zips with no note beside them are for x86_64."
  }
}
