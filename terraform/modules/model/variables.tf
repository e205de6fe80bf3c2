variable "model_id" {
  description = "Id of a Bedrock model or of a system-defined inference profile."
  type        = string
}

variable "request_fields" {
  description = "JSON object of model-specific fields that goes along with every request."
  type        = string
}

variable "max_output_tokens" {
  description = "The most output tokens of an answer."
  type        = number
}
