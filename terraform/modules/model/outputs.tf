output "environment" {
  description = "The settings of a function that asks the model."
  value = {
    MODEL_ID             = var.model_id
    MODEL_REQUEST_FIELDS = var.request_fields
  }
}

output "max_output_tokens" {
  description = "The most output tokens of an answer, for the function that checks the request."
  value       = var.max_output_tokens
}

output "invoke_policy" {
  description = "IAM policy (JSON) that lets a function ask this model and no other."
  value       = data.aws_iam_policy_document.invoke.json
}
