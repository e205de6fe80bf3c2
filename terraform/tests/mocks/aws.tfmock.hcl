# What AWS would answer. The provider checks ARNs and JSON in its arguments, so these must look like the real ones;
# whatever else AWS makes up is a random string. Tests that tell two of a kind apart override them by address.

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_region" {
  defaults = {
    id = "us-east-1"
  }
}

mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{}"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::111122223333:role/mock"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn = "arn:aws:lambda:us-east-1:111122223333:function:mock"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:111122223333:log-group:mock"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    id       = "us-east-1_Mock12345"
    endpoint = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Mock12345"
  }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = {
    id = "mockclient"
  }
}

mock_resource "aws_lambda_function_url" {
  defaults = {
    function_url = "https://mock.lambda-url.us-east-1.on.aws/"
  }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = {
    api_endpoint  = "wss://mock.execute-api.us-east-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:us-east-1:111122223333:mock"
  }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:us-east-1:111122223333:mock"
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/mock"
  }
}

mock_resource "aws_appsync_graphql_api" {
  defaults = {
    arn = "arn:aws:appsync:us-east-1:111122223333:apis/mock"
    uris = {
      GRAPHQL  = "https://mock.appsync-api.us-east-1.amazonaws.com/graphql"
      REALTIME = "wss://mock.appsync-realtime-api.us-east-1.amazonaws.com/graphql"
    }
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn = "arn:aws:dynamodb:us-east-1:111122223333:table/mock"
  }
}
