variable "name_prefix" {
  description = "Begins the name of the table."
  type        = string
}

variable "retention_hours" {
  description = "How long an answer can be read again."
  type        = number
}

variable "max_streams_per_user" {
  description = "The most answers of a user at the same time; null: no cap."
  type        = number
}

variable "max_output_tokens_per_user_per_day" {
  description = "The most output tokens of a user in a day (UTC); null: no cap."
  type        = number
}

variable "abandon_after_seconds" {
  description = "How long an answer goes on after its connection was lost, for whoever resumes it; 0: not at all."
  type        = number
}
