# The stream log: the table, and what each function may do with it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "tests/packages"
}

run "stream_log" {
  command = apply
  module {
    source = "./modules/stream-log"
  }
  variables {
    name_prefix                        = "chat"
    retention_hours                    = 24
    max_streams_per_user               = null
    max_output_tokens_per_user_per_day = null
    abandon_after_seconds              = 30
  }

  # The table.
  assert {
    condition     = aws_dynamodb_table.this.name == "chat-streams" && output.table == "chat-streams"
    error_message = "The table is the deployment's."
  }

  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.range_key == "sk" && jsonencode({ for key in aws_dynamodb_table.this.attribute : key.name => key.type }) == jsonencode({ pk = "S", sk = "S" })
    error_message = "Both keys are strings, under the names that the functions use."
  }

  assert {
    condition     = jsonencode([for ttl in aws_dynamodb_table.this.ttl : [ttl.attribute_name, ttl.enabled]]) == jsonencode([["expires_at", true]])
    error_message = "What expires is deleted, by the attribute that the functions write."
  }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "A table that nobody uses costs nothing."
  }

  assert {
    condition     = length(aws_dynamodb_table.this.server_side_encryption) == 0 && length(aws_dynamodb_table.this.point_in_time_recovery) == 0
    error_message = "DynamoDB encrypts with a key of AWS's own, and there is no second copy of what was deleted."
  }

  assert {
    condition     = coalesce(aws_dynamodb_table.this.deletion_protection_enabled, false) == false && coalesce(aws_dynamodb_table.this.stream_enabled, false) == false
    error_message = "`terraform destroy` removes the table, and nobody else hears what is written."
  }

  # Permissions.
  assert {
    condition = jsonencode({
      for kind, policy in data.aws_iam_policy_document.this : kind => { for statement in policy.statement : statement.sid => one(statement.actions) }
      }) == jsonencode({
      accepting = {
        ClaimStreams = "dynamodb:UpdateItem"
        ReadEvents   = "dynamodb:Query"
        WatchStreams = "dynamodb:GetItem"
        WriteEvents  = "dynamodb:PutItem"
      }
      answering = {
        ClaimStreams = "dynamodb:UpdateItem"
        WatchStreams = "dynamodb:GetItem"
        WriteEvents  = "dynamodb:PutItem"
      }
      cancelling = {
        CancelStreams = "dynamodb:UpdateItem"
      }
      streaming = {
        ClaimStreams = "dynamodb:UpdateItem"
        ReadEvents   = "dynamodb:Query"
        WatchStreams = "dynamodb:GetItem"
        WriteEvents  = "dynamodb:PutItem"
      }
    })
    error_message = "Who answers claims, writes and watches; who lets answers be resumed reads; who cancels writes to the stream and reads nothing. Nobody scans or deletes."
  }

  assert {
    condition = alltrue(flatten([
      for policy in data.aws_iam_policy_document.this :
      [for statement in policy.statement : jsonencode(statement.resources) == jsonencode([aws_dynamodb_table.this.arn])]
    ]))
    error_message = "All of it is about this table, and no other."
  }

  # Settings.
  assert {
    condition = jsonencode({
      streaming  = output.streaming.environment
      cancelling = output.cancelling.environment
      accepting  = output.accepting.environment
      answering  = output.answering.environment
      }) == jsonencode({
      streaming  = { ABANDON_AFTER_SECONDS = "30", STREAM_LOG_RETENTION_SECONDS = "86400", STREAM_LOG_TABLE = "chat-streams" }
      cancelling = { STREAM_LOG_TABLE = "chat-streams" }
      accepting  = { STREAM_LOG_RETENTION_SECONDS = "86400", STREAM_LOG_TABLE = "chat-streams" }
      answering  = { STREAM_LOG_RETENTION_SECONDS = "86400", STREAM_LOG_TABLE = "chat-streams" }
    })
    error_message = "Each kind of function is told what it needs; without caps there are no settings of them."
  }
}

run "each_function_has_the_policy_of_its_kind" {
  command = apply

  override_data {
    target = module.stream_log[0].data.aws_iam_policy_document.this["streaming"]
    values = { json = "{\"policy\":\"streaming\"}" }
  }
  override_data {
    target = module.stream_log[0].data.aws_iam_policy_document.this["cancelling"]
    values = { json = "{\"policy\":\"cancelling\"}" }
  }
  override_data {
    target = module.stream_log[0].data.aws_iam_policy_document.this["accepting"]
    values = { json = "{\"policy\":\"accepting\"}" }
  }
  override_data {
    target = module.stream_log[0].data.aws_iam_policy_document.this["answering"]
    values = { json = "{\"policy\":\"answering\"}" }
  }

  assert {
    condition = jsonencode({
      for name, function in local.functions : name => jsondecode(function.configuration.policies["stream-log"]).policy
      if contains(keys(function.configuration.policies), "stream-log")
      }) == jsonencode({
      appsync-request       = "accepting"
      appsync-worker        = "answering"
      function-url          = "streaming"
      websocket-api-session = "cancelling"
      websocket-api-stream  = "streaming"
    })
    error_message = "Five functions use the log, each as its kind; the authorizer does not."
  }

  assert {
    condition     = output.stream_log_table == "tristream-streams"
    error_message = "The operator is told where the log is."
  }
}

run "switched_off" {
  command = apply
  variables {
    stream_log = false
  }

  assert {
    condition     = length(module.stream_log) == 0 && output.stream_log_table == null
    error_message = "There is no table."
  }

  assert {
    condition     = alltrue([for function in local.functions : !contains(keys(function.configuration.policies), "stream-log")])
    error_message = "There is no right to one."
  }

  assert {
    condition = length(setintersection(
      flatten([for function in local.functions : keys(coalesce(function.configuration.environment, {}))]),
      ["STREAM_LOG_TABLE", "STREAM_LOG_RETENTION_SECONDS", "MAX_STREAMS_PER_USER", "MAX_OUTPUT_TOKENS_PER_USER_PER_DAY", "ABANDON_AFTER_SECONDS"],
    )) == 0 && module.websocket_api[0].functions["websocket-api-session"].configuration.environment == null
    error_message = "There is no setting of one, and no function but those of the log loses any."
  }

  assert {
    condition     = alltrue([for name in ["function-url", "websocket-api-stream"] : local.functions[name].configuration.environment["MODEL_ID"] == var.model_id && contains(keys(local.functions[name].configuration.policies), "model")])
    error_message = "Everything else is as with the log."
  }

  assert {
    condition     = length(module.monitoring.alarms) == 20 && alltrue([for name in keys(module.monitoring.alarms) : !endswith(name, "-log-failures")])
    error_message = "Nothing watches what is left out."
  }
}
