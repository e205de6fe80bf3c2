resource "aws_appsync_graphql_api" "this" {
  # checkov:skip=CKV_AWS_193: the log would hold the arguments, and so the prompts
  # checkov:skip=CKV_AWS_194: the log would hold the arguments, and so the prompts
  # checkov:skip=CKV2_AWS_33: a web ACL is billed by the month; AppSync itself refuses whoever has not signed in
  name                = "${var.name_prefix}-appsync"
  schema              = file("${path.module}/schema.graphql")
  authentication_type = "AMAZON_COGNITO_USER_POOLS"

  user_pool_config {
    user_pool_id        = var.auth.user_pool_id
    app_id_client_regex = "^${var.auth.client_id}$"
    default_action      = "ALLOW"
  }

  # For the worker: the schema says which field, its role's policy says who.
  additional_authentication_provider {
    authentication_type = "AWS_IAM"
  }

  # `streamEvents { events { seq } }` is the deepest operation of the schema, with one resolver.
  introspection_config = "DISABLED"
  query_depth_limit    = 4
  resolver_count_limit = 5
}

resource "aws_appsync_datasource" "request" {
  api_id           = aws_appsync_graphql_api.this.id
  name             = "request"
  type             = "AWS_LAMBDA"
  service_role_arn = aws_iam_role.datasource.arn

  lambda_config {
    function_arn = module.request.arn
  }
}

resource "aws_appsync_datasource" "none" {
  api_id = aws_appsync_graphql_api.this.id
  name   = "none"
  type   = "NONE"
}

resource "aws_appsync_resolver" "this" {
  for_each = {
    protocol        = { type = "Query", data_source = aws_appsync_datasource.none.name }
    streamEvents    = { type = "Query", data_source = aws_appsync_datasource.request.name }
    startStream     = { type = "Mutation", data_source = aws_appsync_datasource.request.name }
    cancelStream    = { type = "Mutation", data_source = aws_appsync_datasource.request.name }
    publishToken    = { type = "Mutation", data_source = aws_appsync_datasource.none.name }
    onTokenReceived = { type = "Subscription", data_source = aws_appsync_datasource.none.name }
  }

  api_id      = aws_appsync_graphql_api.this.id
  type        = each.value.type
  field       = each.key
  data_source = each.value.data_source
  code        = file("${path.module}/resolvers/${each.key}.js")

  runtime {
    name            = "APPSYNC_JS"
    runtime_version = "1.0.0"
  }
}
