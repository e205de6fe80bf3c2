data "aws_region" "this" {}

locals {
  streamed = { for name, architecture in var.architectures : name => architecture.stream_function }

  # One line per architecture in each graph, so that the three are compared; one row of the grid is 24 wide.
  comparisons = [
    { title = "First token, median", metric = "FirstTokenMs", stat = "p50", unit = "ms" },
    { title = "First token, p95", metric = "FirstTokenMs", stat = "p95", unit = "ms" },
    { title = "Whole answer, median", metric = "TotalMs", stat = "p50", unit = "ms" },
    { title = "Answers", metric = "TotalMs", stat = "SampleCount", unit = "answers" },
    { title = "Failed answers", metric = "Failures", stat = "Sum", unit = "answers" },
    { title = "Messages sent per answer", metric = "MessagesSent", stat = "Average", unit = "messages" },
    { title = "Output tokens", metric = "OutputTokens", stat = "Sum", unit = "tokens" },
  ]

  comparison_widgets = [
    for index, comparison in local.comparisons : {
      type   = "metric"
      x      = index % 3 * 8
      y      = floor(index / 3) * 6
      width  = 8
      height = 6
      properties = {
        title  = comparison.title
        region = data.aws_region.this.id
        period = 300
        stat   = comparison.stat
        yAxis  = { left = { min = 0, label = comparison.unit, showUnits = false } }
        metrics = [
          for name, function in local.streamed :
          ["tristream", comparison.metric, "FunctionName", function, { label = name }]
        ]
      }
    }
  ]

  lambda_widgets = [
    for index, metric in ["Errors", "Throttles", "ConcurrentExecutions"] : {
      type   = "metric"
      x      = index * 8
      y      = 24
      width  = 8
      height = 6
      properties = {
        title  = "Functions: ${metric}"
        region = data.aws_region.this.id
        period = 300
        stat   = metric == "ConcurrentExecutions" ? "Maximum" : "Sum"
        yAxis  = { left = { min = 0 } }
        metrics = [
          for function in flatten([for architecture in var.architectures : architecture.functions]) :
          ["AWS/Lambda", metric, "FunctionName", function]
        ]
      }
    }
  ]

  # Beside the last of the comparisons.
  log_widgets = [
    for table in var.stream_log_table[*] : {
      type   = "metric"
      x      = 8
      y      = 12
      width  = 16
      height = 6
      properties = {
        title  = "Stream log"
        region = data.aws_region.this.id
        period = 300
        stat   = "Sum"
        yAxis  = { left = { min = 0 }, right = { min = 0, label = "units", showUnits = false } }
        metrics = concat(
          [
            for name, function in local.streamed :
            ["tristream", "LogFailures", "FunctionName", function, { label = "failures: ${name}" }]
          ],
          [
            ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", table, { label = "throttled writes" }],
            ["AWS/DynamoDB", "ReadThrottleEvents", "TableName", table, { label = "throttled reads" }],
            ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", table, { label = "written", yAxis = "right" }],
            ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", table, { label = "read", yAxis = "right" }],
          ],
        )
      }
    }
  ]

  queue_widgets = [
    for architecture in var.architectures : {
      type   = "metric"
      x      = 0
      y      = 18
      width  = 24
      height = 6
      properties = {
        title  = "Queue"
        region = data.aws_region.this.id
        period = 60
        stat   = "Maximum"
        yAxis  = { left = { min = 0 }, right = { min = 0, label = "s", showUnits = false } }
        metrics = [
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", architecture.queue, { label = "waiting" }],
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", architecture.dead_letter_queue, { label = "dead letters" }],
          ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", architecture.queue, { label = "oldest", yAxis = "right" }],
        ]
      }
    } if architecture.queue != null
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name_prefix

  dashboard_body = jsonencode({
    widgets = concat(local.comparison_widgets, local.log_widgets, local.queue_widgets, local.lambda_widgets)
  })
}
