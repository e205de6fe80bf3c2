variable "name_prefix" {
  description = "Begins the names of the alarms, and is the dashboard's."
  type        = string
}

variable "architectures" {
  description = "What to watch, by architecture: its functions' names, which of them streams, and its queues if it has any."
  type = map(object({
    functions         = list(string)
    stream_function   = string
    queue             = optional(string)
    dead_letter_queue = optional(string)
  }))
}

variable "stream_log_table" {
  description = "Name of the stream log's table; null: there is no log."
  type        = string
}

variable "alarms" {
  description = "Whether to make alarms; the dashboard is always made."
  type        = bool
}

variable "alarm_topic_arn" {
  description = "SNS topic that is told when an alarm begins and ends, or null."
  type        = string
}
