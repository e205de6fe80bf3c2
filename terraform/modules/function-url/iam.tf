# A public URL takes two statements in the function's policy
# (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html). The provider adds `lambda:InvokeFunctionUrl` itself,
# with the URL. The other is `lambda:InvokeFunction`, limited to calls through the URL: without the limit anybody
# could invoke the function by the API. `aws_lambda_permission` has that limit only from provider 6.29 on,
# CloudFormation has it everywhere.
resource "aws_cloudformation_stack" "invoke_through_url" {
  # checkov:skip=CKV_AWS_124: Terraform waits for the one resource and reports it; nothing happens in the stack later
  name = "${module.function.name}-permission"

  template_body = jsonencode({
    Resources = {
      InvokeThroughUrl = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          FunctionName          = module.function.arn
          Action                = "lambda:InvokeFunction"
          Principal             = "*"
          InvokedViaFunctionUrl = true
        }
      }
    }
  })
}
