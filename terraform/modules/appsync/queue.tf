locals {
  max_receive_count = 3
}

resource "aws_sqs_queue" "prompts" {
  name                    = "${var.name_prefix}-prompts"
  sqs_managed_sse_enabled = true

  # Six times the worker's timeout, as AWS asks for
  # (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html): a shorter one hands a message to a
  # second worker while the first still streams.
  visibility_timeout_seconds = 6 * local.worker_timeout_seconds

  # Longer than all receives take, so that a message ends in the dead-letter queue and not in nothing.
  message_retention_seconds = 6 * 60 * 60

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = local.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name_prefix}-prompts-dead-letter"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 14 * 24 * 60 * 60
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.prompts.arn]
  })
}

resource "aws_lambda_event_source_mapping" "worker" {
  event_source_arn        = aws_sqs_queue.prompts.arn
  function_name           = module.worker.arn
  function_response_types = ["ReportBatchItemFailures"]

  # An answer each: a batch would make the second prompt wait for the first one's last token.
  batch_size = 1

  # Caps the answers at the same time, which reserved concurrency would do by failing messages.
  dynamic "scaling_config" {
    for_each = var.max_concurrent_streams == null ? [] : [var.max_concurrent_streams]
    content {
      maximum_concurrency = scaling_config.value
    }
  }
}
