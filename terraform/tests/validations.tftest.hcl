# What plan refuses. A run holds a bad value of several variables, and each of them must be refused. Never of region and
# model_id together, or of max_output_tokens and max_output_tokens_per_user_per_day: the rule of the second looks at the
# first.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "tests/packages"
}

run "too_little" {
  command = plan
  variables {
    region                 = "us-east"
    name_prefix            = "c"
    architectures          = []
    model_request_fields   = ""
    max_output_tokens      = 0
    max_concurrent_streams = 1
    allowed_origins        = [""]
    log_retention_days     = 0
    alarm_topic_arn        = ""

    stream_log_retention_hours = 0
    max_streams_per_user       = 0
    flush_interval_ms          = { appsync = -1 }
    abandon_after_seconds      = -1
  }
  expect_failures = [
    var.region, var.name_prefix, var.architectures, var.model_request_fields, var.max_output_tokens,
    var.max_concurrent_streams, var.allowed_origins, var.log_retention_days, var.alarm_topic_arn,
    var.stream_log_retention_hours, var.max_streams_per_user, var.abandon_after_seconds, var.flush_interval_ms,
  ]
}

run "too_much" {
  command = plan
  variables {
    region                 = "us-east-1a"                # an availability zone
    name_prefix            = "abcdefghijklmnopqrstuvwxy" # 25
    architectures          = ["function-url", "rest-api"]
    max_output_tokens      = 128001
    max_concurrent_streams = 1001
    allowed_origins        = ["https://chat.example.com/"]
    log_retention_days     = 3654
    alarm_topic_arn        = "arn:aws:sns:us-east-1:111122223333:on-call:8a21d249-4329-4871-acc6-7be709c6ea7f" # a subscription

    stream_log_retention_hours = 721
    max_streams_per_user       = 101
    flush_interval_ms          = { appsync = 100, websocket-api = 1001 }
    abandon_after_seconds      = 301
  }
  expect_failures = [
    var.region, var.name_prefix, var.architectures, var.max_output_tokens, var.max_concurrent_streams,
    var.allowed_origins, var.log_retention_days, var.alarm_topic_arn,
    var.stream_log_retention_hours, var.max_streams_per_user, var.abandon_after_seconds, var.flush_interval_ms,
  ]
}

run "in_between" {
  command = plan
  variables {
    model_id               = ""
    max_output_tokens      = 1.5
    max_concurrent_streams = 2.5
    log_retention_days     = 10

    stream_log_retention_hours = 1.5
    max_streams_per_user       = 1.5
    flush_interval_ms          = { websocket-api = 12.5 }
    abandon_after_seconds      = 1.5
  }
  expect_failures = [
    var.model_id, var.max_output_tokens, var.max_concurrent_streams, var.log_retention_days,
    var.stream_log_retention_hours, var.max_streams_per_user, var.abandon_after_seconds, var.flush_interval_ms,
  ]
}

run "less_a_day_than_an_answer" {
  command = plan
  variables {
    max_output_tokens                  = 2000
    max_output_tokens_per_user_per_day = 1999
  }
  expect_failures = [var.max_output_tokens_per_user_per_day]
}

run "more_a_day_than_anybody_reads" {
  command = plan
  variables {
    max_output_tokens_per_user_per_day = 1000000001
  }
  expect_failures = [var.max_output_tokens_per_user_per_day]
}

run "half_a_token_a_day" {
  command = plan
  variables {
    max_output_tokens_per_user_per_day = 2000.5
  }
  expect_failures = [var.max_output_tokens_per_user_per_day]
}

run "another_kind" {
  command = plan
  variables {
    name_prefix          = "1chat"
    model_id             = "claude-haiku"
    model_request_fields = "[]"
    allowed_origins      = ["file://chat.example.com"]
    flush_interval_ms    = { function-url = 50 }
    alarm_topic_arn      = "arn:aws:sqs:us-east-1:111122223333:on-call"
  }
  expect_failures = [
    var.name_prefix, var.model_id, var.model_request_fields, var.allowed_origins, var.alarm_topic_arn,
    var.flush_interval_ms,
  ]
}

run "wildcards" {
  command = plan
  variables {
    name_prefix     = "chat-*"
    model_id        = "amazon.*"
    allowed_origins = ["*"]
    alarm_topic_arn = "arn:aws:sns:us-east-1:111122223333:*"
  }
  expect_failures = [var.name_prefix, var.model_id, var.allowed_origins, var.alarm_topic_arn]
}

run "almost" {
  command = plan
  variables {
    region               = "Frankfurt"
    name_prefix          = "chat-"
    model_request_fields = "null"
    allowed_origins      = ["https://chat.example.com", "https://*.example.com"]
    alarm_topic_arn      = "on-call"
  }
  expect_failures = [var.region, var.name_prefix, var.model_request_fields, var.allowed_origins, var.alarm_topic_arn]
}

run "almost_too" {
  command = plan
  variables {
    name_prefix          = "Chat"
    model_id             = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0"
    model_request_fields = "{thinking: off}"
    allowed_origins      = ["chat.example.com"]
  }
  expect_failures = [var.name_prefix, var.model_id, var.model_request_fields, var.allowed_origins]
}

run "almost_too_again" {
  command = plan
  variables {
    name_prefix     = "chat_1"
    allowed_origins = ["https://chat.example.com:443443"]
  }
  expect_failures = [var.name_prefix, var.allowed_origins]
}

# As browsers send it for a page from a file.
run "origin_null" {
  command = plan
  variables {
    allowed_origins = ["null"]
  }
  expect_failures = [var.allowed_origins]
}
