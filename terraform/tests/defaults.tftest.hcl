# What an operator gets who sets nothing.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "tests/packages"
}

run "defaults" {
  command = apply

  assert {
    condition     = output.region == "us-east-1" && var.model_id == "us.anthropic.claude-haiku-5-5"
    error_message = "The defaults are us-east-1 and a model of its geography."
  }

  assert {
    condition = jsonencode(output.function_names) == jsonencode({
      appsync-request          = "tristream-appsync-request"
      appsync-worker           = "tristream-appsync-worker"
      function-url             = "tristream-function-url"
      websocket-api-authorizer = "tristream-websocket-api-authorizer"
      websocket-api-session    = "tristream-websocket-api-session"
      websocket-api-stream     = "tristream-websocket-api-stream"
    })
    error_message = "Every function of every architecture is deployed, under its zip's name."
  }

  assert {
    condition = jsonencode({ for name, function in local.functions : name => function.configuration.timeout_seconds }) == jsonencode({
      appsync-request          = 10
      appsync-worker           = 300
      function-url             = 300
      websocket-api-authorizer = 10
      websocket-api-session    = 10
      websocket-api-stream     = 300
    })
    error_message = "A function that streams has five minutes, one that does not has ten seconds."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.memory_mb == 128])
    error_message = "A function has 128 MB."
  }

  assert {
    condition = jsonencode({ for name, function in local.functions : name => function.configuration.reserved_concurrency }) == jsonencode({
      appsync-request          = -1
      appsync-worker           = -1
      function-url             = 20
      websocket-api-authorizer = -1
      websocket-api-session    = -1
      websocket-api-stream     = 20
    })
    error_message = "Twenty answers at a time, by reserved concurrency. Not of the worker: it would fail messages (its event source has the cap)."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.log_retention_days == 30])
    error_message = "Logs are kept for 30 days."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.tracing == "PassThrough"])
    error_message = "Nothing is traced."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.configuration.cpu_architecture == "arm64"])
    error_message = "The functions run on what `make build` noted beside the zips."
  }

  assert {
    condition     = output.user_pool_id == "us-east-1_Mock12345" && output.user_pool_client_id == "mockclient"
    error_message = "The outputs name the user pool and its app client."
  }

  assert {
    condition     = output.function_url == "https://mock.lambda-url.us-east-1.on.aws/"
    error_message = "function_url is the Function URL."
  }

  assert {
    condition     = output.websocket_url == "wss://mock.execute-api.us-east-1.amazonaws.com/live"
    error_message = "websocket_url is the stage's address."
  }

  assert {
    condition     = output.graphql_url == "https://mock.appsync-api.us-east-1.amazonaws.com/graphql" && output.graphql_realtime_url == "wss://mock.appsync-realtime-api.us-east-1.amazonaws.com/graphql"
    error_message = "graphql_url and graphql_realtime_url are AppSync's two addresses, and not each other's."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 23 && alltrue([for alarm in module.monitoring.alarms : length(alarm.begins) == 0 && length(alarm.ends) == 0])
    error_message = "There are alarms, and they tell nobody."
  }

  assert {
    condition     = output.dashboard_url == "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/tristream"
    error_message = "dashboard_url is where the dashboard is."
  }

  # A mocked provider takes no note of its configuration.
  assert {
    condition     = jsonencode(local.tags) == jsonencode({ Deployment = "tristream", ManagedBy = "terraform", Project = "tristream" }) && can(regex("default_tags \\{\\s+tags = local\\.tags\\s+\\}", file("${path.root}/versions.tf")))
    error_message = "Every resource is tagged Project, Deployment and ManagedBy, by the provider."
  }

  # What each function is told.
  assert {
    condition = jsonencode(module.function_url[0].functions["function-url"].configuration.environment) == jsonencode({
      ABANDON_AFTER_SECONDS              = "30"
      COGNITO_CLIENT_ID                  = "mockclient"
      COGNITO_ISSUER                     = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Mock12345"
      COGNITO_JWKS_URL                   = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Mock12345/.well-known/jwks.json"
      MAX_OUTPUT_TOKENS                  = "1024"
      MAX_OUTPUT_TOKENS_PER_USER_PER_DAY = "200000"
      MAX_STREAMS_PER_USER               = "10"
      MODEL_ID                           = "us.anthropic.claude-haiku-5-5"
      MODEL_REQUEST_FIELDS               = "{\"thinking\":{\"type\":\"disabled\"}}"
      STREAM_LOG_RETENTION_SECONDS       = "86400"
      STREAM_LOG_TABLE                   = "tristream-streams"
    })
    error_message = "function-url verifies tokens, checks requests, asks the model, with thinking turned off, and logs the stream."
  }

  assert {
    condition = jsonencode(module.websocket_api[0].functions["websocket-api-authorizer"].configuration.environment) == jsonencode({
      COGNITO_CLIENT_ID = "mockclient"
      COGNITO_ISSUER    = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Mock12345"
      COGNITO_JWKS_URL  = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Mock12345/.well-known/jwks.json"
    })
    error_message = "The authorizer verifies tokens and does nothing else."
  }

  assert {
    condition     = jsonencode(module.websocket_api[0].functions["websocket-api-session"].configuration.environment) == jsonencode({ STREAM_LOG_TABLE = "tristream-streams" })
    error_message = "The session's function cancels, and does nothing else that needs settings."
  }

  assert {
    condition = jsonencode(module.websocket_api[0].functions["websocket-api-stream"].configuration.environment) == jsonencode({
      ABANDON_AFTER_SECONDS              = "30"
      CONNECTIONS_URL                    = "https://mock.execute-api.us-east-1.amazonaws.com/live"
      MAX_OUTPUT_TOKENS                  = "1024"
      MAX_OUTPUT_TOKENS_PER_USER_PER_DAY = "200000"
      MAX_STREAMS_PER_USER               = "10"
      MODEL_ID                           = "us.anthropic.claude-haiku-5-5"
      MODEL_REQUEST_FIELDS               = "{\"thinking\":{\"type\":\"disabled\"}}"
      STREAM_LOG_RETENTION_SECONDS       = "86400"
      STREAM_LOG_TABLE                   = "tristream-streams"
    })
    error_message = "websocket-api-stream checks requests, asks the model, posts to connections, by https and with the stage, and logs the stream."
  }

  assert {
    condition = jsonencode(module.appsync[0].functions["appsync-request"].configuration.environment) == jsonencode({
      COGNITO_CLIENT_ID                  = "mockclient"
      MAX_OUTPUT_TOKENS                  = "1024"
      MAX_OUTPUT_TOKENS_PER_USER_PER_DAY = "200000"
      MAX_STREAMS_PER_USER               = "10"
      QUEUE_URL                          = "https://sqs.us-east-1.amazonaws.com/111122223333/mock"
      STREAM_LOG_RETENTION_SECONDS       = "86400"
      STREAM_LOG_TABLE                   = "tristream-streams"
    })
    error_message = "appsync-request checks the app client and the request, claims the stream and queues it."
  }

  assert {
    condition = jsonencode(module.appsync[0].functions["appsync-worker"].configuration.environment) == jsonencode({
      GRAPHQL_URL                  = "https://mock.appsync-api.us-east-1.amazonaws.com/graphql"
      MODEL_ID                     = "us.anthropic.claude-haiku-5-5"
      MODEL_REQUEST_FIELDS         = "{\"thinking\":{\"type\":\"disabled\"}}"
      QUEUE_URL                    = "https://sqs.us-east-1.amazonaws.com/111122223333/mock"
      STREAM_LOG_RETENTION_SECONDS = "86400"
      STREAM_LOG_TABLE             = "tristream-streams"
    })
    error_message = "The worker asks the model, publishes, brings failed messages back and logs the stream. What a request may ask for was checked before."
  }
}
