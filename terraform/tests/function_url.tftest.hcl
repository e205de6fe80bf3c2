# function-url: the URL, who may call it, and what its function may.

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
    streaming = { environment = { LOG = "streaming" }, policies = { stream-log = "{\"policy\":\"streaming\"}" } }
  }
  package_dir            = "tests/packages"
  cpu_architecture       = "arm64"
  max_concurrent_streams = 5
  log_retention_days     = 30
  tracing                = false
  allowed_origins        = ["https://chat.example.com"]
}

override_resource {
  target = module.function.aws_lambda_function.this
  values = {
    arn = "arn:aws:lambda:us-east-1:111122223333:function:chat-function-url"
  }
}

run "function_url" {
  command = apply
  module {
    source = "./modules/function-url"
  }

  # The URL.
  assert {
    condition     = aws_lambda_function_url.this.function_name == "chat-function-url" && aws_lambda_function_url.this.invoke_mode == "RESPONSE_STREAM"
    error_message = "The URL streams the function's answer."
  }

  assert {
    condition     = aws_lambda_function_url.this.authorization_type == "NONE"
    error_message = "The function verifies the token: IAM would need AWS credentials in the browser."
  }

  assert {
    condition     = jsonencode(one(aws_lambda_function_url.this.cors).allow_origins) == jsonencode(["https://chat.example.com"])
    error_message = "Pages of the operator's origins may call, and no others."
  }

  assert {
    condition     = jsonencode(sort(one(aws_lambda_function_url.this.cors).allow_methods)) == jsonencode(["DELETE", "GET", "POST"])
    error_message = "A page may ask, resume and cancel, and nothing else."
  }

  assert {
    condition     = jsonencode(sort(one(aws_lambda_function_url.this.cors).allow_headers)) == jsonencode(["authorization", "content-type", "last-event-id"])
    error_message = "A page may send a token, a content type and how far it had come. A star would not cover `authorization`."
  }

  assert {
    condition     = coalesce(one(aws_lambda_function_url.this.cors).allow_credentials, false) == false
    error_message = "No cookies: the token is a header."
  }

  assert {
    condition     = one(aws_lambda_function_url.this.cors).max_age <= 86400
    error_message = "Lambda accepts a preflight's answer for a day at most."
  }

  assert {
    condition     = output.functions["function-url"].configuration.reserved_concurrency == 5
    error_message = "A flood fills the operator's cap, not the account."
  }

  # Permissions.
  # Compared whole: one more property, such as a second statement, would fail.
  assert {
    condition = jsonencode(jsondecode(aws_cloudformation_stack.invoke_through_url.template_body)) == jsonencode({
      Resources = {
        InvokeThroughUrl = {
          Type = "AWS::Lambda::Permission"
          Properties = {
            Action                = "lambda:InvokeFunction"
            FunctionName          = "arn:aws:lambda:us-east-1:111122223333:function:chat-function-url"
            InvokedViaFunctionUrl = true
            Principal             = "*"
          }
        }
      }
    })
    error_message = "Everybody may invoke through the URL, which AWS asks for since October 2025, and nobody by the Invoke API."
  }

  assert {
    condition     = aws_cloudformation_stack.invoke_through_url.iam_role_arn == null && aws_cloudformation_stack.invoke_through_url.capabilities == null
    error_message = "The stack makes no roles, and has none but the operator's."
  }

  assert {
    condition     = jsonencode(output.functions["function-url"].configuration.policies) == jsonencode({ model = var.model.invoke_policy, stream-log = "{\"policy\":\"streaming\"}" })
    error_message = "The function may ask the model and use the log, and nothing else."
  }

  assert {
    condition     = output.functions["function-url"].configuration.environment["LOG"] == "streaming"
    error_message = "The function is told where the log is."
  }
}
