output "endpoint" {
  description = "Where a browser connects, with the subprotocols `llm-stream.v1` and `bearer.<access token>`."
  value       = local.endpoint
}

output "function_names" {
  description = "Names of the deployed functions by the names of their zips."
  value = {
    websocket-api-authorizer = module.authorizer.name
    websocket-api-session    = module.session.name
    websocket-api-stream     = module.stream.name
  }
}

output "monitored" {
  description = "What the module `monitoring` watches."
  value = {
    functions       = [module.authorizer.name, module.session.name, module.stream.name]
    stream_function = module.stream.name
  }
}
