locals {
  stage = "live"

  # Not the stage's own attributes: it comes last, after the functions that need its address.
  endpoint        = "${aws_apigatewayv2_api.this.api_endpoint}/${local.stage}"
  connections_url = replace(local.endpoint, "wss://", "https://")
}

resource "aws_apigatewayv2_api" "this" {
  name                       = "${var.name_prefix}-websocket-api"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

# The token comes as a subprotocol, `llm-stream.v1, bearer.<token>`: browsers can set no other header, and a URL
# would end up in logs.
resource "aws_apigatewayv2_authorizer" "this" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = module.authorizer.name
  authorizer_type  = "REQUEST"
  authorizer_uri   = module.authorizer.invoke_arn
  identity_sources = ["route.request.header.Sec-WebSocket-Protocol"]
}

resource "aws_apigatewayv2_integration" "session" {
  api_id             = aws_apigatewayv2_api.this.id
  integration_type   = "AWS_PROXY"
  integration_uri    = module.session.invoke_arn
  integration_method = "POST"
}

# Not a proxy: only this type can ask for an asynchronous invocation, after which API Gateway waits no longer. The
# template renders the event that a proxy integration would send.
resource "aws_apigatewayv2_integration" "stream" {
  api_id                        = aws_apigatewayv2_api.this.id
  integration_type              = "AWS"
  integration_uri               = module.stream.invoke_arn
  integration_method            = "POST"
  passthrough_behavior          = "NEVER"
  template_selection_expression = "\\$default"
  request_templates             = { "$default" = file("${path.module}/stream-request.json.vtl") }
  request_parameters            = { "integration.request.header.X-Amz-Invocation-Type" = "'Event'" }
}

resource "aws_apigatewayv2_route" "connect" {
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = "$connect"
  target             = "integrations/${aws_apigatewayv2_integration.session.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.this.id
}

resource "aws_apigatewayv2_route" "disconnect" {
  # checkov:skip=CKV_AWS_309: a WebSocket API authorizes on $connect only
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "$disconnect"
  target    = "integrations/${aws_apigatewayv2_integration.session.id}"
}

# Answers with what the function returns, so that the function needs no right to post to connections.
resource "aws_apigatewayv2_route" "default" {
  # checkov:skip=CKV_AWS_309: a WebSocket API authorizes on $connect only
  api_id                              = aws_apigatewayv2_api.this.id
  route_key                           = "$default"
  target                              = "integrations/${aws_apigatewayv2_integration.session.id}"
  route_response_selection_expression = "$default"
}

resource "aws_apigatewayv2_route_response" "default" {
  api_id             = aws_apigatewayv2_api.this.id
  route_id           = aws_apigatewayv2_route.default.id
  route_response_key = "$default"
}

# Mostly it answers nothing, since the stream itself says that it has ended; but "there is no such stream" is an answer.
resource "aws_apigatewayv2_route" "cancel" {
  # checkov:skip=CKV_AWS_309: a WebSocket API authorizes on $connect only
  api_id                              = aws_apigatewayv2_api.this.id
  route_key                           = "cancel"
  target                              = "integrations/${aws_apigatewayv2_integration.session.id}"
  route_response_selection_expression = "$default"
}

resource "aws_apigatewayv2_route_response" "cancel" {
  api_id             = aws_apigatewayv2_api.this.id
  route_id           = aws_apigatewayv2_route.cancel.id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_route" "stream" {
  # checkov:skip=CKV_AWS_309: a WebSocket API authorizes on $connect only
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "stream"
  target    = "integrations/${aws_apigatewayv2_integration.stream.id}"
}

# To its end a resumed answer is as long as any other.
resource "aws_apigatewayv2_route" "resume" {
  # checkov:skip=CKV_AWS_309: a WebSocket API authorizes on $connect only
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "resume"
  target    = "integrations/${aws_apigatewayv2_integration.stream.id}"
}

resource "aws_apigatewayv2_stage" "live" {
  # checkov:skip=CKV_AWS_76: an access log needs a role that is one setting of the whole account and region
  # checkov:skip=CKV2_AWS_51: API Gateway invokes Lambda with IAM; client certificates are for HTTP backends
  api_id      = aws_apigatewayv2_api.this.id
  name        = local.stage
  auto_deploy = true

  # Connections and messages per second, of everybody together.
  default_route_settings {
    throttling_rate_limit  = 50
    throttling_burst_limit = 100
    logging_level          = "OFF"
  }

  # A stage cannot be deployed without routes.
  depends_on = [
    aws_apigatewayv2_route.connect,
    aws_apigatewayv2_route.disconnect,
    aws_apigatewayv2_route_response.default,
    aws_apigatewayv2_route_response.cancel,
    aws_apigatewayv2_route.stream,
    aws_apigatewayv2_route.resume,
  ]
}
