# appsync: who may call which field, and what runs there.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name_prefix = "chat"
  auth        = { user_pool_id = "us-east-1_Pool12345", client_id = "client" }
  model = {
    environment       = { MODEL_ID = "model" }
    max_output_tokens = 100
    invoke_policy     = "{\"policy\":\"model\"}"
  }
  package_dir            = "tests/packages"
  cpu_architecture       = "arm64"
  max_concurrent_streams = 5
  log_retention_days     = 30
  tracing                = false
}

override_resource {
  target = module.request.aws_lambda_function.this
  values = {
    arn = "arn:aws:lambda:us-east-1:111122223333:function:chat-appsync-request"
  }
}

run "appsync_api" {
  command = apply
  module {
    source = "./modules/appsync"
  }

  # Who gets in.
  assert {
    condition     = aws_appsync_graphql_api.this.authentication_type == "AMAZON_COGNITO_USER_POOLS"
    error_message = "A field that says nothing is for users who signed in."
  }

  assert {
    condition     = jsonencode([for pool in aws_appsync_graphql_api.this.user_pool_config : [pool.user_pool_id, pool.app_id_client_regex, pool.default_action]]) == jsonencode([["us-east-1_Pool12345", "^client$", "ALLOW"]])
    error_message = "Users of the one pool, through the one app client, which the pattern matches whole."
  }

  assert {
    condition     = jsonencode(aws_appsync_graphql_api.this.additional_authentication_provider[*].authentication_type) == jsonencode(["AWS_IAM"])
    error_message = "IAM is for the worker, and there is no other way in: no API key."
  }

  assert {
    condition     = aws_appsync_graphql_api.this.introspection_config == "DISABLED" && aws_appsync_graphql_api.this.query_depth_limit == 4 && aws_appsync_graphql_api.this.resolver_count_limit == 5
    error_message = "An operation is as deep and as broad as the schema's own, and the schema is not handed out. AWS's defaults are none and on."
  }

  assert {
    condition     = length(aws_appsync_graphql_api.this.log_config) == 0
    error_message = "AppSync's log would hold the arguments, and so the prompts."
  }

  # What runs.
  assert {
    condition     = alltrue([for resolver in aws_appsync_resolver.this : jsonencode(resolver.runtime) == jsonencode([{ name = "APPSYNC_JS", runtime_version = "1.0.0" }])])
    error_message = "Every resolver is JavaScript."
  }

  assert {
    condition     = alltrue([for field, resolver in aws_appsync_resolver.this : resolver.code == file("${path.module}/resolvers/${field}.js")]) && length(fileset("${path.module}/resolvers", "*.js")) == length(aws_appsync_resolver.this)
    error_message = "Every resolver has its own code, and every file of code is a resolver's."
  }

  assert {
    condition = jsonencode({ for field, resolver in aws_appsync_resolver.this : "${resolver.type}.${resolver.field}" => resolver.data_source }) == jsonencode({
      "Mutation.cancelStream"        = "request"
      "Mutation.publishToken"        = "none"
      "Mutation.startStream"         = "request"
      "Query.protocol"               = "none"
      "Query.streamEvents"           = "request"
      "Subscription.onTokenReceived" = "none"
    })
    error_message = "startStream, cancelStream and streamEvents are the function's; the other fields need nothing behind them."
  }

  assert {
    condition     = aws_appsync_datasource.none.type == "NONE" && aws_appsync_datasource.none.service_role_arn == null
    error_message = "What needs nothing has no role."
  }

  assert {
    condition     = aws_appsync_datasource.request.type == "AWS_LAMBDA" && one(aws_appsync_datasource.request.lambda_config).function_arn == "arn:aws:lambda:us-east-1:111122223333:function:chat-appsync-request" && aws_appsync_datasource.request.service_role_arn == aws_iam_role.datasource.arn
    error_message = "The data source is appsync-request, invoked with the role for it."
  }

  # Which field is for whom.
  assert {
    condition     = aws_appsync_graphql_api.this.schema == file("${path.module}/schema.graphql")
    error_message = "The schema is the one that the stand-ins and the client read."
  }

  assert {
    condition     = length(regexall("(?m)^  publishToken\\(event: StreamEventInput!\\): StreamEvent @aws_iam$", aws_appsync_graphql_api.this.schema)) == 1
    error_message = "publishToken is for IAM callers, and not for users."
  }

  assert {
    condition     = length(regexall("(?s)\n  startStream\\([^)]*\\): StartedStream! @aws_cognito_user_pools\n", aws_appsync_graphql_api.this.schema)) == 1
    error_message = "startStream is for users, and not for IAM callers."
  }

  assert {
    condition     = length(regexall("(?m)^  cancelStream\\(sessionId: ID!\\): CancelledStream! @aws_cognito_user_pools$", aws_appsync_graphql_api.this.schema)) == 1
    error_message = "cancelStream is for users, and not for IAM callers."
  }

  assert {
    condition     = length(regexall("(?m)^  streamEvents\\(sessionId: ID!, after: Int\\): StreamEvents! @aws_cognito_user_pools$", aws_appsync_graphql_api.this.schema)) == 1
    error_message = "streamEvents is for users, and not for IAM callers."
  }

  assert {
    condition     = length(regexall("(?m)^  onTokenReceived\\(sessionId: ID!\\): StreamEvent @aws_subscribe\\(mutations: \\[\"publishToken\"\\]\\) @aws_cognito_user_pools$", aws_appsync_graphql_api.this.schema)) == 1
    error_message = "onTokenReceived is for users; it hears publishToken and nothing else."
  }

  assert {
    condition     = length(regexall("(?m)^  protocol: String!$", aws_appsync_graphql_api.this.schema)) == 1
    error_message = "protocol is for users, by the default."
  }

  assert {
    condition = jsonencode(regexall("(?m)^.*\\S.* @aws_iam.*$", aws_appsync_graphql_api.this.schema)) == jsonencode([
      "  publishToken(event: StreamEventInput!): StreamEvent @aws_iam",
      "type StreamEvent @aws_iam @aws_cognito_user_pools {", # the worker publishes it, users hear it
    ]) && jsonencode(sort(distinct(regexall("@\\w+", aws_appsync_graphql_api.this.schema)))) == jsonencode(["@aws_cognito_user_pools", "@aws_iam", "@aws_subscribe"])
    error_message = "No other field or type lets anybody in: no API key, no further IAM."
  }

  # Permissions.
  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.datasource.statement : [statement.actions, statement.resources]]) == jsonencode([[
      ["lambda:InvokeFunction"],
      ["arn:aws:lambda:us-east-1:111122223333:function:chat-appsync-request"],
    ]])
    error_message = "AppSync invokes appsync-request and no other function."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.datasource_trust.statement : [statement.actions, statement.principals, statement.condition]]) == jsonencode([[
      ["sts:AssumeRole"],
      [{ identifiers = ["appsync.amazonaws.com"], type = "Service" }],
      [{ test = "StringEquals", values = ["111122223333"], variable = "aws:SourceAccount" }],
    ]])
    error_message = "AppSync assumes that role for APIs of this account."
  }

  assert {
    condition     = aws_iam_role.datasource.assume_role_policy == data.aws_iam_policy_document.datasource_trust.json && aws_iam_role_policy.datasource.policy == data.aws_iam_policy_document.datasource.json && aws_iam_role_policy.datasource.role == aws_iam_role.datasource.id
    error_message = "The role has that trust and that policy."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.publish.statement : [statement.actions, statement.resources]]) == jsonencode([[
      ["appsync:GraphQL"],
      ["arn:aws:appsync:us-east-1:111122223333:apis/mock/types/Mutation/fields/publishToken"],
    ]])
    error_message = "The worker calls publishToken and no other field."
  }
}
