output "endpoint" {
  description = "Where queries and mutations are posted."
  value       = aws_appsync_graphql_api.this.uris["GRAPHQL"]
}

output "realtime_endpoint" {
  description = "Where subscriptions are opened, by WebSocket."
  value       = aws_appsync_graphql_api.this.uris["REALTIME"]
}

output "functions" {
  description = "The deployed functions by the names of their zips."
  value = {
    appsync-request = module.request
    appsync-worker  = module.worker
  }
}

output "dead_letter_queue_url" {
  description = "The queue of prompts that failed three times."
  value       = aws_sqs_queue.dead_letters.url
}

output "monitored" {
  description = "What the module `monitoring` watches."
  value = {
    functions         = [module.request.name, module.worker.name]
    stream_function   = module.worker.name
    queue             = aws_sqs_queue.prompts.name
    dead_letter_queue = aws_sqs_queue.dead_letters.name
  }
}
