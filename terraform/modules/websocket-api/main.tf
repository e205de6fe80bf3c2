locals {
  # `stream` is invoked asynchronously, so the integration's 29 s are no limit.
  stream_timeout_seconds = 300
  timeout_seconds        = 10

  # null is a setting that is not there: the function has a default of its own.
  flush_interval = { for name, ms in { FLUSH_INTERVAL_MS = var.flush_interval_ms } : name => tostring(ms) if ms != null }
}

module "authorizer" {
  source = "../lambda"

  name_prefix        = var.name_prefix
  package            = "websocket-api-authorizer"
  package_dir        = var.package_dir
  cpu_architecture   = var.cpu_architecture
  timeout_seconds    = local.timeout_seconds
  log_retention_days = var.log_retention_days
  tracing            = var.tracing
  environment        = var.auth.environment
}

module "session" {
  source = "../lambda"

  name_prefix        = var.name_prefix
  package            = "websocket-api-session"
  package_dir        = var.package_dir
  cpu_architecture   = var.cpu_architecture
  timeout_seconds    = local.timeout_seconds
  log_retention_days = var.log_retention_days
  tracing            = var.tracing
  policies           = var.stream_log.cancelling.policies
  environment        = var.stream_log.cancelling.environment
}

module "stream" {
  source = "../lambda"

  name_prefix          = var.name_prefix
  package              = "websocket-api-stream"
  package_dir          = var.package_dir
  cpu_architecture     = var.cpu_architecture
  timeout_seconds      = local.stream_timeout_seconds
  reserved_concurrency = var.max_concurrent_streams
  log_retention_days   = var.log_retention_days
  tracing              = var.tracing

  policies = merge(var.stream_log.streaming.policies, {
    model       = var.model.invoke_policy
    connections = data.aws_iam_policy_document.connections.json
  })

  environment = merge(var.model.environment, var.stream_log.streaming.environment, local.flush_interval, {
    MAX_OUTPUT_TOKENS = var.model.max_output_tokens
    CONNECTIONS_URL   = local.connections_url
  })
}

# A second run would pay for and send the answer twice. An event that found no free environment within a minute is
# dropped: nobody waits that long for a first token.
resource "aws_lambda_function_event_invoke_config" "stream" {
  function_name                = module.stream.name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}
