variable "name_prefix" {
  description = "Begins the name of every resource."
  type        = string
}

variable "auth" {
  description = "The module `auth`."
  type = object({
    environment = map(string)
  })
}

variable "model" {
  description = "The module `model`."
  type = object({
    environment       = map(string)
    max_output_tokens = number
    invoke_policy     = string
  })
}

variable "stream_log" {
  description = "The module `stream-log`; null: there is no log, so no setting of it and no right to it."
  type = object({
    streaming  = object({ environment = map(string), policies = map(string) })
    cancelling = object({ environment = map(string), policies = map(string) })
  })
  default = {
    streaming  = { environment = {}, policies = {} }
    cancelling = { environment = {}, policies = {} }
  }
  nullable = false
}

variable "package_dir" {
  description = "Folder of the functions' zips."
  type        = string
}

variable "cpu_architecture" {
  description = "What the zips are built for: arm64 or x86_64."
  type        = string
}

variable "max_concurrent_streams" {
  description = "The most answers at the same time, by reserved concurrency; null: as many as the account has."
  type        = number
}

variable "flush_interval_ms" {
  description = "The least milliseconds between two messages of an answer; null: the function's default, 50."
  type        = number
  default     = null
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the functions' logs."
  type        = number
}

variable "tracing" {
  description = "Whether the functions are traced with X-Ray."
  type        = bool
}
