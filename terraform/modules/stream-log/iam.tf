# What each kind of function may do with the table: a statement per action, so that each can be taken away and missed. A
# transaction needs the actions of its items, and none for itself:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
locals {
  answering = {
    # Claims an answer and counts it for its user, keeps it, ends it.
    ClaimStreams = "dynamodb:UpdateItem"
    # Writes the events, and the account of a user who has none of today.
    WriteEvents = "dynamodb:PutItem"
    # Sees whether there is such a stream, and whether its user wants no more of it.
    WatchStreams = "dynamodb:GetItem"
  }

  # The events after those that somebody has.
  reading = { ReadEvents = "dynamodb:Query" }

  granted = {
    answering  = local.answering
    streaming  = merge(local.answering, local.reading)
    accepting  = merge(local.answering, local.reading)
    cancelling = { CancelStreams = "dynamodb:UpdateItem" }
  }
}

data "aws_iam_policy_document" "this" {
  for_each = local.granted

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = statement.key
      actions   = [statement.value]
      resources = [aws_dynamodb_table.this.arn]
    }
  }
}
