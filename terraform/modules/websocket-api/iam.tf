# `stream` posts the events to the client's connection: on this API and stage, and nothing but posting. Which
# connection, is known at run time only.
data "aws_iam_policy_document" "connections" {
  statement {
    sid       = "PostToConnections"
    actions   = ["execute-api:ManageConnections"]
    resources = ["${aws_apigatewayv2_api.this.execution_arn}/${local.stage}/POST/@connections/*"]
  }
}

# API Gateway may invoke each function for the one thing that it is there for.
resource "aws_lambda_permission" "authorizer" {
  function_name = module.authorizer.name
  statement_id  = "ApiGatewayAuthorizer"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.this.id}"
}

resource "aws_lambda_permission" "session" {
  for_each = { Connect = "$connect", Disconnect = "$disconnect", Default = "$default", Cancel = "cancel" }

  function_name = module.session.name
  statement_id  = "ApiGateway${each.key}"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/${local.stage}/${each.value}"
}

resource "aws_lambda_permission" "stream" {
  for_each = { Stream = "stream", Resume = "resume" }

  function_name = module.stream.name
  statement_id  = "ApiGateway${each.key}"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/${local.stage}/${each.value}"
}
