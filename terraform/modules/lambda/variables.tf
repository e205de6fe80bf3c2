variable "name_prefix" {
  description = "Begins the name of the function, its role and its log group."
  type        = string
}

variable "package" {
  description = "Name of the zip without its ending; it ends the function's name."
  type        = string
}

variable "package_dir" {
  description = "Folder of the zips."
  type        = string
}

variable "cpu_architecture" {
  description = "What the zip is built for: arm64 or x86_64."
  type        = string

  validation {
    condition     = contains(["arm64", "x86_64"], var.cpu_architecture)
    error_message = "cpu_architecture must be arm64 or x86_64."
  }
}

variable "timeout_seconds" {
  description = "When Lambda ends an invocation."
  type        = number
}

variable "environment" {
  description = "Environment variables; lambdas/README.md lists them."
  type        = map(string)
  default     = {}
}

variable "policies" {
  description = "IAM policies (JSON) of the function's role by name, besides writing its log."
  type        = map(string)
  default     = {}
}

variable "reserved_concurrency" {
  description = "The most invocations at the same time; null: as many as the account has."
  type        = number
  default     = null
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the log."
  type        = number
}

variable "tracing" {
  description = "Whether the function is traced with X-Ray."
  type        = bool
}
