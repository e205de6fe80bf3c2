locals {
  timeout_seconds = 300
}

module "function" {
  source = "../lambda"

  name_prefix          = var.name_prefix
  package              = "function-url"
  package_dir          = var.package_dir
  cpu_architecture     = var.cpu_architecture
  timeout_seconds      = local.timeout_seconds
  reserved_concurrency = var.max_concurrent_streams
  log_retention_days   = var.log_retention_days
  tracing              = var.tracing
  policies             = merge({ model = var.model.invoke_policy }, var.stream_log.streaming.policies)

  environment = merge(var.auth.environment, var.model.environment, var.stream_log.streaming.environment, {
    MAX_OUTPUT_TOKENS = var.model.max_output_tokens
  })
}

resource "aws_lambda_function_url" "this" {
  # checkov:skip=CKV_AWS_258: the function verifies the token itself; IAM would need AWS credentials in the browser
  function_name = module.function.name
  invoke_mode   = "RESPONSE_STREAM"

  authorization_type = "NONE"

  # Here and not in the function: browsers refuse headers that come twice.
  cors {
    allow_origins  = var.allowed_origins
    allow_methods  = ["DELETE", "GET", "POST"]
    allow_headers  = ["authorization", "content-type", "last-event-id"]
    expose_headers = ["x-amzn-requestid"]
    max_age        = 86400
  }
}
