# docs/operations.md says what each alarm means and what to do. No data is no trouble: nobody asked anything.

locals {
  functions = var.alarms ? toset(flatten([for architecture in var.architectures : architecture.functions])) : []
  streams   = var.alarms ? { for name, architecture in var.architectures : name => architecture.stream_function } : {}
  logged    = var.stream_log_table == null ? {} : local.streams
  queues = var.alarms ? {
    for name, architecture in var.architectures : name => architecture if architecture.queue != null
  } : {}
  actions = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.functions

  alarm_name          = "${each.key}-errors"
  alarm_description   = "The function crashed, timed out or gave up. Its log says why."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = local.functions

  alarm_name          = "${each.key}-throttles"
  alarm_description   = "Invocations were refused: max_concurrent_streams or the account's concurrency is used up."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  for_each = local.streams

  alarm_name          = "${each.value}-failures"
  alarm_description   = "Five answers within five minutes failed, or could not be delivered. The function's log has their codes."
  namespace           = "tristream"
  metric_name         = "Failures"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "log_failures" {
  for_each = local.logged

  alarm_name          = "${each.value}-log-failures"
  alarm_description   = "Five times within five minutes the stream log did not take events: these answers cannot be resumed. The function's log has the reason."
  namespace           = "tristream"
  metric_name         = "LogFailures"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "first_token" {
  for_each = local.streams

  alarm_name          = "${each.value}-first-token"
  alarm_description   = "For a quarter of an hour one answer in twenty took more than five seconds to its first token."
  namespace           = "tristream"
  metric_name         = "FirstTokenMs"
  dimensions          = { FunctionName = each.value }
  extended_statistic  = "p95"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5000
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions

  # A handful of answers has no 95th percentile.
  evaluate_low_sample_count_percentiles = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.queues

  alarm_name          = "${each.value.dead_letter_queue}-not-empty"
  alarm_description   = "A prompt failed three times and waits in the dead-letter queue."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.dead_letter_queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}

resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  for_each = local.queues

  alarm_name          = "${each.value.queue}-oldest-message"
  alarm_description   = "A prompt has waited for a minute. The worker refuses it then, since nobody is assumed to wait for it any more."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.actions
  ok_actions          = local.actions
}
