# What is watched, and who is told.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name_prefix = "chat"
  architectures = {
    function-url = { functions = ["chat-function-url"], stream_function = "chat-function-url" }
    appsync = {
      functions         = ["chat-appsync-request", "chat-appsync-worker"]
      stream_function   = "chat-appsync-worker"
      queue             = "chat-prompts"
      dead_letter_queue = "chat-prompts-dead-letter"
    }
  }
  stream_log_table = "chat-streams"
  alarms           = true
  alarm_topic_arn  = null
}

run "monitoring" {
  command = apply
  module {
    source = "./modules/monitoring"
  }

  # The alarms.
  assert {
    condition = jsonencode(keys(output.alarms)) == jsonencode([
      "chat-appsync-request-errors",
      "chat-appsync-request-throttles",
      "chat-appsync-worker-errors",
      "chat-appsync-worker-failures",
      "chat-appsync-worker-first-token",
      "chat-appsync-worker-log-failures",
      "chat-appsync-worker-throttles",
      "chat-function-url-errors",
      "chat-function-url-failures",
      "chat-function-url-first-token",
      "chat-function-url-log-failures",
      "chat-function-url-throttles",
      "chat-prompts-dead-letter-not-empty",
      "chat-prompts-oldest-message",
    ])
    error_message = "Every function has alarms on errors and throttles, a streaming one on failures, first tokens and the stream log too, a queue on its age and its dead letters."
  }

  # The tests see whom an alarm tells in that output only.
  assert {
    condition     = length(regexall("resource \"aws_cloudwatch_metric_alarm\"", join("", [for name in fileset(path.module, "*.tf") : file("${path.module}/${name}")]))) == length(regexall("values\\(aws_cloudwatch_metric_alarm\\.", file("${path.module}/outputs.tf")))
    error_message = "The output lists every kind of alarm."
  }

  assert {
    condition = jsonencode([
      for alarm in [aws_cloudwatch_metric_alarm.errors["chat-appsync-worker"], aws_cloudwatch_metric_alarm.throttles["chat-appsync-worker"]] :
      [alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.statistic, alarm.comparison_operator, alarm.threshold]
      ]) == jsonencode([
      ["AWS/Lambda", "Errors", { FunctionName = "chat-appsync-worker" }, "Sum", "GreaterThanThreshold", 0],
      ["AWS/Lambda", "Throttles", { FunctionName = "chat-appsync-worker" }, "Sum", "GreaterThanThreshold", 0],
    ])
    error_message = "One crash and one refused invocation is an alarm."
  }

  assert {
    condition = jsonencode([
      for alarm in [aws_cloudwatch_metric_alarm.failures["appsync"], aws_cloudwatch_metric_alarm.log_failures["appsync"], aws_cloudwatch_metric_alarm.first_token["appsync"]] :
      [alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.statistic, alarm.extended_statistic, alarm.comparison_operator, alarm.threshold]
      ]) == jsonencode([
      ["tristream", "Failures", { FunctionName = "chat-appsync-worker" }, "Sum", null, "GreaterThanOrEqualToThreshold", 5],
      ["tristream", "LogFailures", { FunctionName = "chat-appsync-worker" }, "Sum", null, "GreaterThanOrEqualToThreshold", 5],
      ["tristream", "FirstTokenMs", { FunctionName = "chat-appsync-worker" }, null, "p95", "GreaterThanThreshold", 5000],
    ])
    error_message = "Five failed answers, five failures of the log, and slow first tokens, are an alarm, by the metrics that the functions write."
  }

  assert {
    condition = jsonencode([
      for alarm in [aws_cloudwatch_metric_alarm.dead_letters["appsync"], aws_cloudwatch_metric_alarm.oldest_message["appsync"]] :
      [alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.statistic, alarm.comparison_operator, alarm.threshold]
      ]) == jsonencode([
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName = "chat-prompts-dead-letter" }, "Maximum", "GreaterThanThreshold", 0],
      ["AWS/SQS", "ApproximateAgeOfOldestMessage", { QueueName = "chat-prompts" }, "Maximum", "GreaterThanThreshold", 60],
    ])
    error_message = "A dead letter, and a prompt that waited for a minute, is an alarm, each by its own queue."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.errors), values(aws_cloudwatch_metric_alarm.throttles), values(aws_cloudwatch_metric_alarm.failures), values(aws_cloudwatch_metric_alarm.log_failures), values(aws_cloudwatch_metric_alarm.first_token), values(aws_cloudwatch_metric_alarm.dead_letters), values(aws_cloudwatch_metric_alarm.oldest_message)) :
      alarm.treat_missing_data == "notBreaching" && coalesce(alarm.actions_enabled, true)
    ])
    error_message = "When nobody asks, nothing is wrong."
  }

  # The dashboard.
  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "chat"
    error_message = "The dashboard is the deployment's."
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      widget.type == "metric" && widget.properties.region == "us-east-1" && widget.x + widget.width <= 24 && length(widget.properties.metrics) > 0
    ])
    error_message = "Each widget is a graph of this region, within the grid's 24 columns."
  }

  assert {
    condition = length(distinct(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      [for x in range(widget.x, widget.x + widget.width) : [for y in range(widget.y, widget.y + widget.height) : "${x},${y}"]]
      ]))) == sum([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.width * widget.height
    ])
    error_message = "No widget covers another."
  }

  assert {
    condition     = length([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget if widget.properties.title == "Queue"]) == 1
    error_message = "The queue has a graph."
  }

  assert {
    condition = jsonencode(distinct([
      for metric in one([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget if widget.properties.title == "Stream log"]).properties.metrics :
      [metric[0], metric[2], metric[3]]
      ])) == jsonencode([
      ["tristream", "FunctionName", "chat-appsync-worker"],
      ["tristream", "FunctionName", "chat-function-url"],
      ["AWS/DynamoDB", "TableName", "chat-streams"],
    ])
    error_message = "The stream log has a graph: failures of each architecture, and what the table refused and was asked."
  }
}

run "without_a_stream_log" {
  command = apply
  module {
    source = "./modules/monitoring"
  }
  variables {
    stream_log_table = null
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.log_failures) == 0 && length([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget if widget.properties.title == "Stream log"]) == 0
    error_message = "No stream log, no alarm and no graph of it."
  }
}

run "without_a_queue" {
  command = apply
  module {
    source = "./modules/monitoring"
  }
  variables {
    architectures = {
      function-url = { functions = ["chat-function-url"], stream_function = "chat-function-url" }
    }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.dead_letters) == 0 && length(aws_cloudwatch_metric_alarm.oldest_message) == 0 && length([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget if widget.properties.title == "Queue"]) == 0
    error_message = "No queue, no alarm and no graph of it."
  }
}

run "no_alarms" {
  command = apply
  module {
    source = "./modules/monitoring"
  }
  variables {
    alarms = false
  }

  assert {
    condition     = length(output.alarms) == 0 && aws_cloudwatch_dashboard.this.dashboard_name == "chat"
    error_message = "Without alarms there is still the dashboard."
  }
}
