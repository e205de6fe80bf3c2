locals {
  package = "${var.package_dir}/${var.package}.zip"
  name    = "${var.name_prefix}-${var.package}"
}

resource "aws_lambda_function" "this" {
  function_name = local.name
  role          = aws_iam_role.this.arn

  filename = local.package
  # Without the check a missing zip would stop `destroy` too.
  source_code_hash = fileexists(local.package) ? filebase64sha256(local.package) : null
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.cpu_architecture]

  # The functions are small, and an answer is mostly waiting.
  memory_size                    = 128
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  dynamic "environment" {
    for_each = length(var.environment) > 0 ? [var.environment] : []
    content {
      variables = environment.value
    }
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  lifecycle {
    precondition {
      condition     = fileexists(local.package)
      error_message = "${local.package} does not exist: run `make build` first."
    }
  }

  # A function that starts before its role may log loses its first lines.
  depends_on = [aws_iam_role_policy.logs]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.log_retention_days
}
