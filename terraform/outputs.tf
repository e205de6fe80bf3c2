output "region" {
  description = "AWS region of everything."
  value       = var.region
}

output "user_pool_id" {
  description = "Id of the Cognito user pool."
  value       = module.auth.user_pool_id
}

output "user_pool_client_id" {
  description = "Id of the app client that the browser signs in with."
  value       = module.auth.client_id
}

output "function_url" {
  description = "Endpoint of function-url; null if it is left out."
  value       = one(module.function_url[*].endpoint)
}

output "websocket_url" {
  description = "Endpoint of websocket-api; null if it is left out."
  value       = one(module.websocket_api[*].endpoint)
}

output "graphql_url" {
  description = "Endpoint of appsync; null if it is left out."
  value       = one(module.appsync[*].endpoint)
}

output "graphql_realtime_url" {
  description = "Endpoint of appsync's subscriptions; null if it is left out."
  value       = one(module.appsync[*].realtime_endpoint)
}

output "function_names" {
  description = "Names of the deployed functions by the names of their zips."
  value       = { for package, function in local.functions : package => function.name }
}

output "dead_letter_queue_url" {
  description = "The queue of prompts that failed three times; null if appsync is left out."
  value       = one(module.appsync[*].dead_letter_queue_url)
}

output "stream_log_table" {
  description = "The table of the last hours' answers; null if stream_log is off."
  value       = one(module.stream_log[*].table)
}

output "dashboard_url" {
  description = "The CloudWatch dashboard that compares the architectures."
  value       = module.monitoring.dashboard_url
}
