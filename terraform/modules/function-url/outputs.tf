output "endpoint" {
  description = "Where a browser posts its request; `streams/{stream_id}` under it resumes and cancels."
  value       = aws_lambda_function_url.this.function_url
}

output "functions" {
  description = "The deployed functions by the names of their zips."
  value       = { function-url = module.function }
}

output "monitored" {
  description = "What the module `monitoring` watches."
  value = {
    functions       = [module.function.name]
    stream_function = module.function.name
  }
}
