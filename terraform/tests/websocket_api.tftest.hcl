# websocket-api: what AWS asks of a WebSocket API, and an emulator does not check.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name_prefix = "chat"
  auth        = { environment = { COGNITO_CLIENT_ID = "client" } }
  model = {
    environment       = { MODEL_ID = "model" }
    max_output_tokens = 100
    invoke_policy     = "{\"policy\":\"model\"}"
  }
  stream_log = {
    streaming  = { environment = { LOG = "streaming" }, policies = { stream-log = "{\"policy\":\"streaming\"}" } }
    cancelling = { environment = { LOG = "cancelling" }, policies = { stream-log = "{\"policy\":\"cancelling\"}" } }
  }
  package_dir            = "tests/packages"
  cpu_architecture       = "arm64"
  max_concurrent_streams = 5
  log_retention_days     = 30
  tracing                = false
}

override_data {
  target = data.aws_iam_policy_document.connections
  values = {
    json = "{\"policy\":\"connections\"}"
  }
}

run "websocket_api" {
  command = apply
  module {
    source = "./modules/websocket-api"
  }

  # Connecting.
  assert {
    condition     = aws_apigatewayv2_api.this.protocol_type == "WEBSOCKET" && aws_apigatewayv2_api.this.route_selection_expression == "$request.body.action"
    error_message = "A message's `action` names its route."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.this.authorizer_type == "REQUEST" && aws_apigatewayv2_authorizer.this.authorizer_uri == module.authorizer.invoke_arn
    error_message = "The authorizer is the function for it. WebSocket APIs have no other type."
  }

  assert {
    condition     = jsonencode(aws_apigatewayv2_authorizer.this.identity_sources) == jsonencode(["route.request.header.Sec-WebSocket-Protocol"])
    error_message = "The token comes as a subprotocol, and never in a URL; without one AWS refuses before it invokes."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.this.authorizer_credentials_arn == null && coalesce(aws_apigatewayv2_authorizer.this.authorizer_result_ttl_in_seconds, 0) == 0
    error_message = "The authorizer is asked for every connection."
  }

  assert {
    condition     = aws_apigatewayv2_route.connect.route_key == "$connect" && aws_apigatewayv2_route.connect.authorization_type == "CUSTOM" && aws_apigatewayv2_route.connect.authorizer_id == aws_apigatewayv2_authorizer.this.id
    error_message = "Nobody connects without the authorizer's consent."
  }

  # Routes.
  assert {
    condition     = aws_apigatewayv2_integration.session.integration_type == "AWS_PROXY" && aws_apigatewayv2_integration.session.integration_uri == module.session.invoke_arn
    error_message = "The session's function gets whole events."
  }

  assert {
    condition = alltrue([
      for route in [aws_apigatewayv2_route.connect, aws_apigatewayv2_route.disconnect, aws_apigatewayv2_route.default, aws_apigatewayv2_route.cancel] :
      route.target == "integrations/${aws_apigatewayv2_integration.session.id}"
    ])
    error_message = "Connecting, leaving, cancelling and unknown messages are the session's."
  }

  assert {
    condition     = aws_apigatewayv2_route.disconnect.route_key == "$disconnect" && aws_apigatewayv2_route.default.route_key == "$default" && aws_apigatewayv2_route.cancel.route_key == "cancel" && aws_apigatewayv2_route.stream.route_key == "stream" && aws_apigatewayv2_route.resume.route_key == "resume"
    error_message = "There are $connect, $disconnect, $default, cancel, stream and resume."
  }

  assert {
    condition     = aws_apigatewayv2_route.default.route_response_selection_expression == "$default" && aws_apigatewayv2_route_response.default.route_id == aws_apigatewayv2_route.default.id && aws_apigatewayv2_route_response.default.route_response_key == "$default"
    error_message = "$default answers through its route response: without one AWS drops what the function returns."
  }

  assert {
    condition     = aws_apigatewayv2_route.cancel.route_response_selection_expression == "$default" && aws_apigatewayv2_route_response.cancel.route_id == aws_apigatewayv2_route.cancel.id && aws_apigatewayv2_route_response.cancel.route_response_key == "$default"
    error_message = "So does cancel, which has to say that there is no such stream."
  }

  assert {
    condition = alltrue([
      for route in [aws_apigatewayv2_route.stream, aws_apigatewayv2_route.resume] :
      route.target == "integrations/${aws_apigatewayv2_integration.stream.id}"
    ]) && aws_apigatewayv2_integration.stream.integration_uri == module.stream.invoke_arn
    error_message = "`stream` and `resume` are the streaming function's."
  }

  assert {
    condition     = alltrue([for integration in [aws_apigatewayv2_integration.session, aws_apigatewayv2_integration.stream] : integration.integration_method == "POST"])
    error_message = "Lambda is invoked by POST, whatever the route."
  }

  assert {
    condition     = aws_apigatewayv2_integration.stream.integration_type == "AWS" && jsonencode(aws_apigatewayv2_integration.stream.request_parameters) == jsonencode({ "integration.request.header.X-Amz-Invocation-Type" = "'Event'" })
    error_message = "`stream` is invoked asynchronously: answers take longer than the 29 s that an integration may. The value is quoted, as a constant is."
  }

  assert {
    condition     = aws_apigatewayv2_integration.stream.template_selection_expression == "\\$default" && jsonencode(keys(aws_apigatewayv2_integration.stream.request_templates)) == jsonencode(["$default"])
    error_message = "Every message is rendered by the one template."
  }

  assert {
    condition     = strcontains(aws_apigatewayv2_integration.stream.request_templates["$default"], "\"body\": \"$util.base64Encode($input.body)\"") && strcontains(aws_apigatewayv2_integration.stream.request_templates["$default"], "\"connectionId\": \"$context.connectionId\"") && strcontains(aws_apigatewayv2_integration.stream.request_templates["$default"], "\"exp\": \"$context.authorizer.exp\"")
    error_message = "The template brings the body, the connection and the token's expiry."
  }

  assert {
    condition     = aws_apigatewayv2_stage.live.name == "live" && aws_apigatewayv2_stage.live.auto_deploy && output.endpoint == "${aws_apigatewayv2_api.this.api_endpoint}/${aws_apigatewayv2_stage.live.name}"
    error_message = "The stage is deployed, and the endpoint is its address."
  }

  assert {
    condition     = one(aws_apigatewayv2_stage.live.default_route_settings).throttling_rate_limit == 50 && one(aws_apigatewayv2_stage.live.default_route_settings).throttling_burst_limit == 100
    error_message = "Messages are throttled: the account's limit is 10,000 a second."
  }

  assert {
    condition     = one(aws_apigatewayv2_stage.live.default_route_settings).logging_level == "OFF" && coalesce(one(aws_apigatewayv2_stage.live.default_route_settings).data_trace_enabled, false) == false && length(aws_apigatewayv2_stage.live.access_log_settings) == 0
    error_message = "API Gateway logs no messages: they are prompts."
  }

  # The asynchronous invocation.
  assert {
    condition     = aws_lambda_function_event_invoke_config.stream.function_name == "chat-websocket-api-stream" && aws_lambda_function_event_invoke_config.stream.maximum_retry_attempts == 0
    error_message = "AWS tries twice more by default: the answer would be paid for and sent again."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.stream.maximum_event_age_in_seconds == 60
    error_message = "60 s is the least that AWS takes; nobody waits longer for a first token."
  }

  assert {
    condition     = jsonencode({ for name, function in output.functions : name => function.configuration.reserved_concurrency }) == jsonencode({ websocket-api-authorizer = -1, websocket-api-session = -1, websocket-api-stream = 5 })
    error_message = "A flood of prompts fills the operator's cap; connecting has none."
  }

  # Permissions.
  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.connections.statement : [statement.actions, statement.resources]]) == jsonencode([[
      ["execute-api:ManageConnections"],
      ["arn:aws:execute-api:us-east-1:111122223333:mock/live/POST/@connections/*"],
    ]])
    error_message = "`stream` posts to connections of this API and stage. It may not read or close them."
  }

  assert {
    condition = jsonencode({ for name, function in output.functions : name => function.configuration.policies }) == jsonencode({
      websocket-api-authorizer = {}
      websocket-api-session    = { stream-log = "{\"policy\":\"cancelling\"}" }
      websocket-api-stream = {
        connections = "{\"policy\":\"connections\"}"
        model       = var.model.invoke_policy
        stream-log  = "{\"policy\":\"streaming\"}"
      }
    })
    error_message = "`stream` asks the model, posts and uses the log; the session cancels; the authorizer may nothing besides logging."
  }

  assert {
    condition     = output.functions["websocket-api-session"].configuration.environment["LOG"] == "cancelling" && output.functions["websocket-api-stream"].configuration.environment["LOG"] == "streaming"
    error_message = "Both are told where the log is."
  }

  assert {
    condition     = !anytrue([for function in output.functions : can(function.configuration.environment["FLUSH_INTERVAL_MS"])])
    error_message = "Without an interval the functions have their own."
  }

  assert {
    condition = jsonencode([
      for permission in concat([aws_lambda_permission.authorizer], values(aws_lambda_permission.session), values(aws_lambda_permission.stream)) :
      [permission.function_name, permission.source_arn]
      ]) == jsonencode([
      ["chat-websocket-api-authorizer", "arn:aws:execute-api:us-east-1:111122223333:mock/authorizers/${aws_apigatewayv2_authorizer.this.id}"],
      ["chat-websocket-api-session", "arn:aws:execute-api:us-east-1:111122223333:mock/live/cancel"],
      ["chat-websocket-api-session", "arn:aws:execute-api:us-east-1:111122223333:mock/live/$connect"],
      ["chat-websocket-api-session", "arn:aws:execute-api:us-east-1:111122223333:mock/live/$default"],
      ["chat-websocket-api-session", "arn:aws:execute-api:us-east-1:111122223333:mock/live/$disconnect"],
      ["chat-websocket-api-stream", "arn:aws:execute-api:us-east-1:111122223333:mock/live/resume"],
      ["chat-websocket-api-stream", "arn:aws:execute-api:us-east-1:111122223333:mock/live/stream"],
    ])
    error_message = "API Gateway invokes each function for its own routes, of this API."
  }

  assert {
    condition = alltrue([
      for permission in concat([aws_lambda_permission.authorizer], values(aws_lambda_permission.session), values(aws_lambda_permission.stream)) :
      permission.action == "lambda:InvokeFunction" && permission.principal == "apigateway.amazonaws.com"
    ])
    error_message = "API Gateway invokes, and may nothing else; nobody else does."
  }
}

run "gathering" {
  command = apply
  module {
    source = "./modules/websocket-api"
  }
  variables {
    flush_interval_ms = 0
  }

  assert {
    condition     = jsonencode([for name, function in output.functions : name if can(function.configuration.environment["FLUSH_INTERVAL_MS"])]) == jsonencode(["websocket-api-stream"])
    error_message = "`stream` alone sends the messages of an answer."
  }

  assert {
    condition     = output.functions["websocket-api-stream"].configuration.environment["FLUSH_INTERVAL_MS"] == "0"
    error_message = "0 is an interval, too."
  }
}
