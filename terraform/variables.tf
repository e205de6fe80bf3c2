variable "region" {
  description = "AWS region of everything."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as us-east-1."
  }
}

variable "name_prefix" {
  description = "Begins the name of every resource. Another prefix, with a state of its own, is another deployment in the same account and region."
  type        = string
  default     = "tristream"
  nullable    = false

  validation {
    # The longest name built from it is that of a role, and a role's name has 64 characters at most.
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must have 2 to 24 characters of a-z, 0-9 and -, begin with a letter and not end with -."
  }
}

variable "architectures" {
  description = "Which of function-url, websocket-api and appsync to deploy."
  type        = set(string)
  default     = ["function-url", "websocket-api", "appsync"]
  nullable    = false

  validation {
    condition     = length(var.architectures) > 0 && length(setsubtract(var.architectures, ["function-url", "websocket-api", "appsync"])) == 0
    error_message = "architectures must name at least one of function-url, websocket-api and appsync, and nothing else."
  }
}

variable "model_id" {
  description = "A Bedrock model or system-defined inference profile that ConverseStream accepts. Its geography (us., eu., ...) must be that of the region."
  type        = string
  default     = "us.anthropic.claude-haiku-5-5"
  nullable    = false

  validation {
    condition     = can(regex("^([a-z]{2,6}(-gov)?\\.)?[a-z0-9]+\\.[a-zA-Z0-9.:_-]+$", var.model_id))
    error_message = "model_id must be a model's or an inference profile's id, such as us.anthropic.claude-haiku-5-5, not an ARN."
  }
  validation {
    # Another prefix than these is a provider's name, and the id a model's.
    condition = anytrue([
      startswith(var.model_id, "us-gov.") ? startswith(var.region, "us-gov-") : false,
      startswith(var.model_id, "us.") ? can(regex("^(us|ca)-", var.region)) && !startswith(var.region, "us-gov-") : false,
      startswith(var.model_id, "eu.") ? startswith(var.region, "eu-") || startswith(var.region, "il-") : false,
      can(regex("^(apac|jp|au)\\.", var.model_id)) ? startswith(var.region, "ap-") || startswith(var.region, "me-") : false,
      !can(regex("^(us-gov|us|eu|apac|jp|au)\\.", var.model_id)),
    ])
    error_message = "model_id is an inference profile of another geography than the region: choose the one that begins with the region's (us., eu., apac., ...) or with global."
  }
}

variable "model_request_fields" {
  description = "JSON object of model-specific fields that goes along with every request. The default turns thinking off: the first token comes sooner. \"{}\" for a model that does not know the field."
  type        = string
  default     = "{\"thinking\":{\"type\":\"disabled\"}}"
  nullable    = false

  validation {
    condition     = can(keys(jsondecode(var.model_request_fields)))
    error_message = "model_request_fields must be a JSON object, such as {\"thinking\":{\"type\":\"disabled\"}} or {}."
  }
}

variable "max_output_tokens" {
  description = "The most output tokens of an answer, whatever the request asks for. Bounds what one request costs."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = var.max_output_tokens >= 1 && var.max_output_tokens <= 128000 && floor(var.max_output_tokens) == var.max_output_tokens
    error_message = "max_output_tokens must be a whole number from 1 to 128000."
  }
}

variable "max_concurrent_streams" {
  description = "The most answers at the same time, per architecture: a cap on what a flood can cost. It reserves Lambda concurrency twice; null reserves nothing, for accounts whose quota is too small."
  type        = number
  default     = 20

  validation {
    condition     = var.max_concurrent_streams == null ? true : var.max_concurrent_streams >= 2 && var.max_concurrent_streams <= 1000 && floor(var.max_concurrent_streams) == var.max_concurrent_streams
    error_message = "max_concurrent_streams must be a whole number from 2 to 1000 (SQS accepts nothing less, and nothing more), or null."
  }
}

variable "flush_interval_ms" {
  description = "The least milliseconds between two messages of an answer, for websocket-api and appsync each: more is cheaper, less is smoother. What is not named has the function's default, 50 and 250. function-url pays for no message and has no such setting here."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    # Not an object: Terraform would drop a name that is spelled wrong without a word.
    condition     = length(setsubtract(keys(var.flush_interval_ms), ["websocket-api", "appsync"])) == 0
    error_message = "flush_interval_ms may name websocket-api and appsync, and nothing else, such as { appsync = 100 }."
  }
  validation {
    condition     = alltrue([for ms in values(var.flush_interval_ms) : ms == null ? true : ms >= 0 && ms <= 1000 && floor(ms) == ms])
    error_message = "flush_interval_ms must hold whole numbers from 0 to 1000."
  }
}

variable "stream_log" {
  description = "Whether to keep the answers of the last hours in a table: with it Stop reaches the model, a broken answer is resumed, a request is answered once, and users have caps."
  type        = bool
  default     = true
  nullable    = false
}

variable "stream_log_retention_hours" {
  description = "How long an answer can be read again. DynamoDB deletes it within some days after that."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.stream_log_retention_hours >= 1 && var.stream_log_retention_hours <= 720 && floor(var.stream_log_retention_hours) == var.stream_log_retention_hours
    error_message = "stream_log_retention_hours must be a whole number from 1 to 720 (30 days)."
  }
}

variable "max_streams_per_user" {
  description = "The most answers of one user at the same time, over all architectures; null: no cap. Needs stream_log."
  type        = number
  default     = 10

  validation {
    # They are listed in one item, which is written, and billed by its size, at each beginning and end.
    condition     = var.max_streams_per_user == null ? true : var.max_streams_per_user >= 1 && var.max_streams_per_user <= 100 && floor(var.max_streams_per_user) == var.max_streams_per_user
    error_message = "max_streams_per_user must be a whole number from 1 to 100, or null."
  }
}

variable "max_output_tokens_per_user_per_day" {
  description = "The most output tokens of one user in a day (UTC), over all architectures; null: no cap. Needs stream_log."
  type        = number
  default     = 200000

  validation {
    # Each request reserves what it may use.
    condition     = var.max_output_tokens_per_user_per_day == null ? true : var.max_output_tokens_per_user_per_day >= var.max_output_tokens && var.max_output_tokens_per_user_per_day <= 1000000000 && floor(var.max_output_tokens_per_user_per_day) == var.max_output_tokens_per_user_per_day
    error_message = "max_output_tokens_per_user_per_day must be a whole number from max_output_tokens to 1000000000, or null: with less, no request would be answered."
  }
}

variable "abandon_after_seconds" {
  description = "How long the model writes on after a connection was lost, so that the answer can be resumed; 0: not at all. Needs stream_log."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.abandon_after_seconds >= 0 && var.abandon_after_seconds <= 300 && floor(var.abandon_after_seconds) == var.abandon_after_seconds
    error_message = "abandon_after_seconds must be a whole number from 0 to 300, the longest that an answer takes."
  }
}

variable "allowed_origins" {
  description = "Origins of web pages that may call function-url. A browser needs none for the other two."
  type        = list(string)
  default     = ["http://localhost:5173", "http://127.0.0.1:5173"]
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]{1,5})?$", origin))])
    error_message = "allowed_origins must hold origins: scheme, host and port, with no path and no final slash, such as https://chat.example.com. A star is not accepted."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the functions' logs."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of the periods that CloudWatch Logs has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, ..., 3653."
  }
}

variable "tracing" {
  description = "Whether the functions are traced with X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarms" {
  description = "Whether to make CloudWatch alarms. The first ten of an account are free, each further one costs about 0.10 USD a month."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_topic_arn" {
  description = "SNS topic that is told when an alarm begins and ends; null: the alarms are seen in CloudWatch only."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null ? true : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic."
  }
}

variable "package_dir" {
  description = "Where `make build` puts the functions' zips, relative to this folder."
  type        = string
  default     = "../dist"
  nullable    = false
}

variable "tags" {
  description = "Tags for every resource, besides Project, Deployment and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false
}
