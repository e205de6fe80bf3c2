# appsync: the queue between the two functions, by AWS's rules, which an emulator does not check.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name_prefix = "chat"
  auth        = { user_pool_id = "us-east-1_Pool12345", client_id = "client" }
  model = {
    environment       = { MODEL_ID = "model" }
    max_output_tokens = 100
    invoke_policy     = "{\"policy\":\"model\"}"
  }
  stream_log = {
    accepting = { environment = { LOG = "accepting" }, policies = { stream-log = "{\"policy\":\"accepting\"}" } }
    answering = { environment = { LOG = "answering" }, policies = { stream-log = "{\"policy\":\"answering\"}" } }
  }
  package_dir            = "tests/packages"
  cpu_architecture       = "arm64"
  max_concurrent_streams = 2
  log_retention_days     = 30
  tracing                = false
}

override_resource {
  target = aws_sqs_queue.prompts
  values = {
    id  = "https://sqs.us-east-1.amazonaws.com/111122223333/prompts"
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/prompts"
    arn = "arn:aws:sqs:us-east-1:111122223333:prompts"
  }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = {
    id  = "https://sqs.us-east-1.amazonaws.com/111122223333/dead-letters"
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/dead-letters"
    arn = "arn:aws:sqs:us-east-1:111122223333:dead-letters"
  }
}

override_resource {
  target = module.worker.aws_lambda_function.this
  values = {
    arn = "arn:aws:lambda:us-east-1:111122223333:function:chat-appsync-worker"
  }
}

override_data {
  target = data.aws_iam_policy_document.request
  values = {
    json = "{\"policy\":\"request\"}"
  }
}

override_data {
  target = data.aws_iam_policy_document.worker_queue
  values = {
    json = "{\"policy\":\"worker_queue\"}"
  }
}

override_data {
  target = data.aws_iam_policy_document.publish
  values = {
    json = "{\"policy\":\"publish\"}"
  }
}

run "appsync_queue" {
  command = apply
  module {
    source = "./modules/appsync"
  }

  # The queues.
  assert {
    condition     = aws_sqs_queue.prompts.visibility_timeout_seconds >= 6 * output.functions["appsync-worker"].configuration.timeout_seconds
    error_message = "A message stays invisible for six times the worker's timeout: a second worker would get it while the first still streams."
  }

  assert {
    condition     = aws_sqs_queue.prompts.message_retention_seconds > jsondecode(aws_sqs_queue.prompts.redrive_policy).maxReceiveCount * aws_sqs_queue.prompts.visibility_timeout_seconds
    error_message = "A message outlives all its receives, so that it ends in the dead-letter queue."
  }

  assert {
    condition     = jsonencode(jsondecode(aws_sqs_queue.prompts.redrive_policy)) == jsonencode({ deadLetterTargetArn = "arn:aws:sqs:us-east-1:111122223333:dead-letters", maxReceiveCount = 3 })
    error_message = "What failed three times goes to the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue_redrive_allow_policy.dead_letters.queue_url == aws_sqs_queue.dead_letters.id && jsonencode(jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy)) == jsonencode({ redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:us-east-1:111122223333:prompts"] })
    error_message = "The dead-letter queue takes this queue's messages and no other's."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds == 1209600 && aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.prompts.message_retention_seconds
    error_message = "Dead letters are kept for 14 days, the most that there is: their age counts from the first queue."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.prompts, aws_sqs_queue.dead_letters] : queue.sqs_managed_sse_enabled])
    error_message = "Prompts are encrypted at rest."
  }

  assert {
    condition     = jsonencode({ for name, policy in aws_sqs_queue_policy.tls_only : name => policy.queue_url }) == jsonencode({ dead_letters = aws_sqs_queue.dead_letters.id, prompts = aws_sqs_queue.prompts.id })
    error_message = "Each of the queues has a policy."
  }

  assert {
    condition     = jsonencode({ for name, policy in data.aws_iam_policy_document.tls_only : name => flatten(policy.statement[*].resources) }) == jsonencode({ dead_letters = ["arn:aws:sqs:us-east-1:111122223333:dead-letters"], prompts = ["arn:aws:sqs:us-east-1:111122223333:prompts"] })
    error_message = "Each queue's policy is about that queue."
  }

  assert {
    condition = alltrue([for policy in data.aws_iam_policy_document.tls_only : jsonencode([for statement in policy.statement : [statement.effect, statement.actions, statement.principals, statement.condition]]) == jsonencode([[
      "Deny",
      ["sqs:*"],
      [{ identifiers = ["*"], type = "*" }],
      [{ test = "Bool", values = ["false"], variable = "aws:SecureTransport" }],
    ]])])
    error_message = "Nobody reaches a queue without TLS, and the policy allows nothing."
  }

  # The event source.
  assert {
    condition     = aws_lambda_event_source_mapping.worker.event_source_arn == "arn:aws:sqs:us-east-1:111122223333:prompts" && aws_lambda_event_source_mapping.worker.function_name == "arn:aws:lambda:us-east-1:111122223333:function:chat-appsync-worker"
    error_message = "The worker gets the prompts."
  }

  assert {
    condition     = jsonencode(aws_lambda_event_source_mapping.worker.function_response_types) == jsonencode(["ReportBatchItemFailures"])
    error_message = "The worker says which messages failed: AWS would take its answer for success."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.worker.batch_size == 1
    error_message = "A message each: the second prompt would wait for the first one's last token."
  }

  assert {
    condition     = one(aws_lambda_event_source_mapping.worker.scaling_config).maximum_concurrency == 2
    error_message = "The event source caps the answers at the same time. AWS takes two at least."
  }

  assert {
    condition     = jsonencode({ for name, function in output.functions : name => function.configuration.reserved_concurrency }) == jsonencode({ appsync-request = -1, appsync-worker = -1 })
    error_message = "Reserved concurrency would cap by failing messages."
  }

  # Permissions.
  assert {
    condition     = jsonencode([for statement in data.aws_iam_policy_document.request.statement : [statement.actions, statement.resources]]) == jsonencode([[["sqs:SendMessage"], ["arn:aws:sqs:us-east-1:111122223333:prompts"]]])
    error_message = "appsync-request queues prompts, and cannot read the queue."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.worker_queue.statement : [statement.actions, statement.resources]]) == jsonencode([
      [["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], ["arn:aws:sqs:us-east-1:111122223333:prompts"]],
      [["sqs:ChangeMessageVisibility"], ["arn:aws:sqs:us-east-1:111122223333:prompts"]],
    ])
    error_message = "Lambda polls the queue with the worker's role, and the worker brings failed messages back. It cannot queue."
  }

  assert {
    condition = jsonencode({ for name, function in output.functions : name => function.configuration.policies }) == jsonencode({
      appsync-request = {
        queue      = "{\"policy\":\"request\"}"
        stream-log = "{\"policy\":\"accepting\"}"
      }
      appsync-worker = {
        model      = var.model.invoke_policy
        publish    = "{\"policy\":\"publish\"}"
        queue      = "{\"policy\":\"worker_queue\"}"
        stream-log = "{\"policy\":\"answering\"}"
      }
    })
    error_message = "Each function has its own policies, and not the other's."
  }

  assert {
    condition     = output.functions["appsync-request"].configuration.environment["LOG"] == "accepting" && output.functions["appsync-worker"].configuration.environment["LOG"] == "answering"
    error_message = "Each function is told where the log is, and what it needs of its settings."
  }

  assert {
    condition     = !anytrue([for function in output.functions : can(function.configuration.environment["FLUSH_INTERVAL_MS"])])
    error_message = "Without an interval the functions have their own."
  }

  assert {
    condition     = alltrue([for name in ["appsync-request", "appsync-worker"] : output.functions[name].configuration.environment["QUEUE_URL"] == "https://sqs.us-east-1.amazonaws.com/111122223333/prompts"])
    error_message = "Both functions are at the same queue, and not at the dead letters'."
  }

  assert {
    condition     = output.dead_letter_queue_url == "https://sqs.us-east-1.amazonaws.com/111122223333/dead-letters"
    error_message = "The operator is told where the dead letters are."
  }
}

run "no_cap" {
  command = apply
  module {
    source = "./modules/appsync"
  }
  variables {
    max_concurrent_streams = null
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.worker.scaling_config) == 0
    error_message = "null is no cap."
  }
}

run "gathering" {
  command = apply
  module {
    source = "./modules/appsync"
  }
  variables {
    flush_interval_ms = 0
  }

  assert {
    condition     = jsonencode([for name, function in output.functions : name if can(function.configuration.environment["FLUSH_INTERVAL_MS"])]) == jsonencode(["appsync-worker"])
    error_message = "The worker alone publishes."
  }

  assert {
    condition     = output.functions["appsync-worker"].configuration.environment["FLUSH_INTERVAL_MS"] == "0"
    error_message = "0 is an interval, too."
  }
}
