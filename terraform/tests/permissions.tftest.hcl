# The whole of what is granted. The other files test each grant; this one finds a new one that no file tests.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir   = "tests/packages"
  architectures = ["function-url"]
}

run "nothing_else" {
  command = plan

  assert {
    condition = jsonencode({
      for name, lines in { for name in fileset(path.root, "**/*.tf") : name => regexall("(?m)^[^#\n]*\"[^\"\n]*\\*[^\"\n]*\".*$", file("${path.root}/${name}")) } :
      name => [for line in lines : replace(trimspace(line), "/\\s+=/", " =")]
      if length(lines) > 0 && name != "variables.tf" # its patterns have stars
      }) == jsonencode({
      "modules/appsync/iam.tf"       = ["actions = [\"sqs:*\"]", "type = \"*\"", "identifiers = [\"*\"]"]
      "modules/function-url/iam.tf"  = ["Principal = \"*\""]
      "modules/lambda/iam.tf"        = ["resources = [\"$${aws_cloudwatch_log_group.this.arn}:*\"]", "resources = [\"*\"]"]
      "modules/websocket-api/iam.tf" = ["resources = [\"$${aws_apigatewayv2_api.this.execution_arn}/$${local.stage}/POST/@connections/*\"]"]
    })
    error_message = "Stars: the Deny without TLS, calls through the Function URL, X-Ray, the streams of a log group, the connections of a stage. No other."
  }

  assert {
    condition = jsonencode({
      for name, found in { for name in fileset(path.root, "**/*.tf") : name => regexall("(?m)^resource \"aws_(\\w*(?:iam|permission|polic|stack|grant|attachment|auth_config)\\w*)\" \"(\\w+)\"", file("${path.root}/${name}")) } :
      name => [for resource in found : join(".", resource)]
      if length(found) > 0
      }) == jsonencode({
      "modules/appsync/iam.tf"       = ["iam_role.datasource", "iam_role_policy.datasource", "sqs_queue_policy.tls_only"]
      "modules/appsync/queue.tf"     = ["sqs_queue_redrive_allow_policy.dead_letters"]
      "modules/function-url/iam.tf"  = ["cloudformation_stack.invoke_through_url"]
      "modules/lambda/iam.tf"        = ["iam_role.this", "iam_role_policy.logs", "iam_role_policy.tracing", "iam_role_policy.function"]
      "modules/websocket-api/iam.tf" = ["lambda_permission.authorizer", "lambda_permission.session", "lambda_permission.stream"]
    })
    error_message = "These resources grant something, and no others do. No managed policies."
  }

  assert {
    condition = jsonencode({
      for name, found in { for name in fileset(path.root, "**/*.tf") : name => regexall("(?m)^data \"aws_iam_policy_document\" \"(\\w+)\"", file("${path.root}/${name}")) } :
      name => flatten(found)
      if length(found) > 0
      }) == jsonencode({
      "modules/appsync/iam.tf"       = ["request", "worker_queue", "publish", "datasource_trust", "datasource", "tls_only"]
      "modules/lambda/iam.tf"        = ["trust", "logs", "tracing"]
      "modules/model/iam.tf"         = ["invoke"]
      "modules/stream-log/iam.tf"    = ["this"]
      "modules/websocket-api/iam.tf" = ["connections"]
    })
    error_message = "These are the policies, each with a test of its statements."
  }

  assert {
    condition     = jsonencode(flatten([for name in fileset(path.root, "**/*.tf") : regexall("(?m)^\\s*((?:not_\\w+|effect|source_policy_documents|override_policy_documents)\\s*=.*)$", file("${path.root}/${name}"))])) == jsonencode(["effect    = \"Deny\""])
    error_message = "Policies say what is allowed, not what is left over; the one Deny is TLS's."
  }
}
