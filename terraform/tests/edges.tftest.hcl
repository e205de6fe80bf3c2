# What plan accepts, at the edges of what it refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "tests/packages"
}

run "least" {
  command = plan
  variables {
    name_prefix            = "c1"
    architectures          = ["appsync"]
    model_request_fields   = "{}"
    max_output_tokens      = 1
    max_concurrent_streams = 2
    allowed_origins        = []
    log_retention_days     = 1
    alarm_topic_arn        = "arn:aws-us-gov:sns:us-gov-west-1:111122223333:on-call_1"
    tags                   = {}

    stream_log_retention_hours         = 1
    max_streams_per_user               = 1
    max_output_tokens_per_user_per_day = 1
    abandon_after_seconds              = 0
  }
}

run "most" {
  command = plan
  variables {
    name_prefix            = "abcdefghijklmnopqrstuv-x"
    max_output_tokens      = 128000
    max_concurrent_streams = 1000
    allowed_origins        = ["https://chat.example.com", "https://xn--bcher-kva.example:8443", "http://localhost:65535"]
    log_retention_days     = 3653

    stream_log_retention_hours         = 720
    max_streams_per_user               = 100
    max_output_tokens_per_user_per_day = 1000000000
    abandon_after_seconds              = 300
  }
}

# The variables that are never null fall back to their default.
run "null" {
  command = plan
  variables {
    region               = null
    name_prefix          = null
    architectures        = null
    model_id             = null
    model_request_fields = null
    max_output_tokens    = null
    allowed_origins      = null
    log_retention_days   = null
    tracing              = null
    alarms               = null
    tags                 = null
    stream_log           = null

    stream_log_retention_hours = null
    abandon_after_seconds      = null

    # And these mean something.
    max_concurrent_streams             = null
    max_streams_per_user               = null
    max_output_tokens_per_user_per_day = null
    alarm_topic_arn                    = null
  }
  assert {
    condition     = output.region == "us-east-1" && var.name_prefix == "tristream" && length(var.architectures) == 3 && var.alarms && var.stream_log && var.stream_log_retention_hours == 24 && var.abandon_after_seconds == 30
    error_message = "null is the default."
  }
}
