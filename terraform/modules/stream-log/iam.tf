# What each kind of function may do with the table: a statement per action, so that each can be seen to be needed. A
# transaction needs the actions of its items and none of its own:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
locals {
  statements = {
    # Claims and ends an answer, counts it for its user, and asks for its end.
    ClaimStreams = "dynamodb:UpdateItem"
    # Writes the first item of a user or of a queued answer, and the events.
    WriteEvents = "dynamodb:PutItem"
    # Sees, while it answers, that the user wants no more.
    WatchStreams = "dynamodb:GetItem"
    # Reads the events for whoever resumes.
    ReadEvents = "dynamodb:Query"
  }

  granted = {
    streaming  = ["ClaimStreams", "ReadEvents", "WatchStreams", "WriteEvents"]
    cancelling = ["ClaimStreams"]
    accepting  = ["ClaimStreams", "ReadEvents", "WatchStreams", "WriteEvents"]
    answering  = ["ClaimStreams", "WatchStreams", "WriteEvents"]
  }
}

data "aws_iam_policy_document" "this" {
  for_each = local.granted

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = statement.value
      actions   = [local.statements[statement.value]]
      resources = [aws_dynamodb_table.this.arn]
    }
  }
}
