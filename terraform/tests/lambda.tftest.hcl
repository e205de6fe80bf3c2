# What every function has, and what its role may before its architecture adds anything.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name_prefix        = "chat"
  package            = "function-url"
  package_dir        = "tests/packages"
  cpu_architecture   = "arm64"
  timeout_seconds    = 10
  log_retention_days = 30
  tracing            = false
}

run "function" {
  command = apply
  module {
    source = "./modules/lambda"
  }
  variables {
    policies = { model = "{}", queue = "{}" }
  }

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.handler == "bootstrap"
    error_message = "A Rust function is a bootstrap on the OS-only runtime."
  }

  assert {
    condition     = aws_lambda_function.this.filename == "tests/packages/function-url.zip" && aws_lambda_function.this.source_code_hash == filebase64sha256("tests/packages/function-url.zip")
    error_message = "A changed zip is deployed."
  }

  # A test cannot destroy without the zip, nor read a precondition's message; that it refuses is tested below.
  assert {
    condition     = strcontains(file("${path.module}/main.tf"), "fileexists(local.package) ? filebase64sha256(local.package) : null")
    error_message = "A missing zip stops plan by the precondition, and does not stop destroy."
  }

  assert {
    condition     = strcontains(file("${path.module}/main.tf"), "error_message = \"$${local.package} does not exist: run `make build` first.\"")
    error_message = "A missing zip is answered with its name and the command that makes it."
  }

  assert {
    condition     = aws_lambda_function.this.role == aws_iam_role.this.arn && aws_iam_role.this.name == aws_lambda_function.this.function_name
    error_message = "Each function has a role of its own."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/chat-function-url" && one(aws_lambda_function.this.logging_config).log_group == aws_cloudwatch_log_group.this.name
    error_message = "The function writes to the log group that Terraform made, with its retention."
  }

  assert {
    condition     = one(aws_lambda_function.this.logging_config).log_format == "JSON"
    error_message = "Lambda's own lines are JSON, as the function's are."
  }

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0
    error_message = "Streaming from a Function URL does not work inside a VPC."
  }

  assert {
    condition     = jsonencode([for statement in data.aws_iam_policy_document.trust.statement : [statement.actions, statement.principals, statement.condition]]) == jsonencode([[["sts:AssumeRole"], [{ identifiers = ["lambda.amazonaws.com"], type = "Service" }], []]])
    error_message = "Lambda assumes the role, and nobody else."
  }

  assert {
    condition     = jsonencode([for statement in data.aws_iam_policy_document.logs.statement : [statement.actions, statement.resources]]) == jsonencode([[["logs:CreateLogStream", "logs:PutLogEvents"], ["${aws_cloudwatch_log_group.this.arn}:*"]]])
    error_message = "The role writes to its own log group, and makes none."
  }

  assert {
    condition     = jsonencode([for statement in data.aws_iam_policy_document.tracing.statement : [statement.actions, statement.resources]]) == jsonencode([[["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]]])
    error_message = "A traced function sends traces; these two actions know no resources."
  }

  assert {
    condition     = length(aws_iam_role_policy.tracing) == 0 && one(aws_lambda_function.this.tracing_config).mode == "PassThrough"
    error_message = "A function that is not traced may not send traces."
  }

  assert {
    condition     = jsonencode(keys(aws_iam_role_policy.function)) == jsonencode(["model", "queue"])
    error_message = "The role has the policies that it was given."
  }

  assert {
    condition     = alltrue([for policy in concat([aws_iam_role_policy.logs], values(aws_iam_role_policy.function)) : policy.role == aws_iam_role.this.id])
    error_message = "The policies are this role's."
  }
}

run "traced" {
  command = apply
  module {
    source = "./modules/lambda"
  }
  variables {
    tracing = true
  }

  assert {
    condition     = length(aws_iam_role_policy.tracing) == 1 && alltrue([for policy in aws_iam_role_policy.tracing : policy.role == aws_iam_role.this.id]) && one(aws_lambda_function.this.tracing_config).mode == "Active"
    error_message = "A traced function may send traces."
  }
}

run "missing_zip" {
  command = plan
  module {
    source = "./modules/lambda"
  }
  variables {
    package = "forgotten"
  }
  expect_failures = [aws_lambda_function.this]
}

run "unknown_cpu" {
  command = plan
  module {
    source = "./modules/lambda"
  }
  variables {
    cpu_architecture = "riscv64"
  }
  expect_failures = [var.cpu_architecture]
}
