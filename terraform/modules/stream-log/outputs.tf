locals {
  table     = { STREAM_LOG_TABLE = aws_dynamodb_table.this.name }
  retention = { STREAM_LOG_RETENTION_SECONDS = tostring(var.retention_hours * 3600) }
  abandon   = { ABANDON_AFTER_SECONDS = tostring(var.abandon_after_seconds) }

  # A cap that is null is a setting that is not there.
  caps = {
    for name, cap in {
      MAX_STREAMS_PER_USER               = var.max_streams_per_user
      MAX_OUTPUT_TOKENS_PER_USER_PER_DAY = var.max_output_tokens_per_user_per_day
    } : name => tostring(cap) if cap != null
  }
}

output "table" {
  description = "Name of the table."
  value       = aws_dynamodb_table.this.name
}

output "streaming" {
  description = "Settings and policies of a function that takes requests, answers them and lets answers be resumed."
  value = {
    environment = merge(local.table, local.retention, local.caps, local.abandon)
    policies    = { stream-log = data.aws_iam_policy_document.this["streaming"].json }
  }
}

output "cancelling" {
  description = "Settings and policies of a function that asks for an answer's end, and for nothing else."
  value = {
    environment = local.table
    policies    = { stream-log = data.aws_iam_policy_document.this["cancelling"].json }
  }
}

output "accepting" {
  description = "Settings and policies of a function that takes requests, which another answers, and reads the events for whoever resumes."
  value = {
    environment = merge(local.table, local.retention, local.caps)
    policies    = { stream-log = data.aws_iam_policy_document.this["accepting"].json }
  }
}

output "answering" {
  description = "Settings and policies of a function that answers what another has accepted."
  value = {
    environment = merge(local.table, local.retention)
    policies    = { stream-log = data.aws_iam_policy_document.this["answering"].json }
  }
}
