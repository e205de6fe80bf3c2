output "name" {
  description = "Name of the function and of its role."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "invoke_arn" {
  description = "URI by which API Gateway invokes the function."
  value       = aws_lambda_function.this.invoke_arn
}

# A test sees a module's outputs and nothing below them.
output "configuration" {
  description = "How the function is set up."
  value = {
    timeout_seconds      = aws_lambda_function.this.timeout
    memory_mb            = aws_lambda_function.this.memory_size
    cpu_architecture     = one(aws_lambda_function.this.architectures)
    reserved_concurrency = aws_lambda_function.this.reserved_concurrent_executions
    tracing              = one(aws_lambda_function.this.tracing_config[*].mode)
    environment          = one(aws_lambda_function.this.environment[*].variables)
    policies             = { for name, policy in aws_iam_role_policy.function : name => policy.policy }
    log_retention_days   = aws_cloudwatch_log_group.this.retention_in_days
  }
}
