locals {
  timeout_seconds        = 10
  worker_timeout_seconds = 300

  # null is a setting that is not there: the function has a default of its own.
  flush_interval = { for name, ms in { FLUSH_INTERVAL_MS = var.flush_interval_ms } : name => tostring(ms) if ms != null }
}

module "request" {
  source = "../lambda"

  name_prefix        = var.name_prefix
  package            = "appsync-request"
  package_dir        = var.package_dir
  cpu_architecture   = var.cpu_architecture
  timeout_seconds    = local.timeout_seconds
  log_retention_days = var.log_retention_days
  tracing            = var.tracing
  policies           = merge({ queue = data.aws_iam_policy_document.request.json }, var.stream_log.accepting.policies)

  environment = merge(var.stream_log.accepting.environment, {
    COGNITO_CLIENT_ID = var.auth.client_id
    QUEUE_URL         = aws_sqs_queue.prompts.url
    MAX_OUTPUT_TOKENS = var.model.max_output_tokens
  })
}

module "worker" {
  source = "../lambda"

  name_prefix        = var.name_prefix
  package            = "appsync-worker"
  package_dir        = var.package_dir
  cpu_architecture   = var.cpu_architecture
  timeout_seconds    = local.worker_timeout_seconds
  log_retention_days = var.log_retention_days
  tracing            = var.tracing

  policies = merge(var.stream_log.answering.policies, {
    model   = var.model.invoke_policy
    queue   = data.aws_iam_policy_document.worker_queue.json
    publish = data.aws_iam_policy_document.publish.json
  })

  environment = merge(var.model.environment, var.stream_log.answering.environment, local.flush_interval, {
    QUEUE_URL   = aws_sqs_queue.prompts.url
    GRAPHQL_URL = aws_appsync_graphql_api.this.uris["GRAPHQL"]
  })
}
