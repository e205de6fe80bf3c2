# `appsync-request` queues prompts, and cannot read the queue.
data "aws_iam_policy_document" "request" {
  statement {
    sid       = "QueuePrompts"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.prompts.arn]
  }
}

data "aws_iam_policy_document" "worker_queue" {
  # Lambda polls the queue with the worker's role
  # (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
  statement {
    sid       = "PollPrompts"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.prompts.arn]
  }

  # The worker itself brings a message that failed back after seconds, not after the visibility timeout.
  statement {
    sid       = "RetrySoon"
    actions   = ["sqs:ChangeMessageVisibility"]
    resources = [aws_sqs_queue.prompts.arn]
  }
}

# The worker publishes events. It is the only one who may: the schema lets IAM callers into this one field.
data "aws_iam_policy_document" "publish" {
  statement {
    sid       = "PublishEvents"
    actions   = ["appsync:GraphQL"]
    resources = ["${aws_appsync_graphql_api.this.arn}/types/Mutation/fields/publishToken"]
  }
}

# AppSync invokes `appsync-request` for `startStream`, `cancelStream` and `streamEvents`.
resource "aws_iam_role" "datasource" {
  name               = "${var.name_prefix}-appsync-datasource"
  assume_role_policy = data.aws_iam_policy_document.datasource_trust.json
}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "datasource_trust" {
  # For APIs of this account: another account's could otherwise name this role.
  statement {
    sid     = "AppSyncOfThisAccount"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["appsync.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role_policy" "datasource" {
  name   = "invoke"
  role   = aws_iam_role.datasource.id
  policy = data.aws_iam_policy_document.datasource.json
}

data "aws_iam_policy_document" "datasource" {
  statement {
    sid       = "InvokeRequest"
    actions   = ["lambda:InvokeFunction"]
    resources = [module.request.arn]
  }
}

# Prompts travel encrypted: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
resource "aws_sqs_queue_policy" "tls_only" {
  for_each = { prompts = aws_sqs_queue.prompts, dead_letters = aws_sqs_queue.dead_letters }

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.tls_only[each.key].json
}

data "aws_iam_policy_document" "tls_only" {
  for_each = { prompts = aws_sqs_queue.prompts.arn, dead_letters = aws_sqs_queue.dead_letters.arn }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
