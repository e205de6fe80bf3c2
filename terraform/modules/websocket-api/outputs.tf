output "endpoint" {
  description = "Where a browser connects, with the subprotocols `llm-stream.v1` and `bearer.<access token>`."
  value       = local.endpoint
}

output "functions" {
  description = "The deployed functions by the names of their zips."
  value = {
    websocket-api-authorizer = module.authorizer
    websocket-api-session    = module.session
    websocket-api-stream     = module.stream
  }
}

output "monitored" {
  description = "What the module `monitoring` watches."
  value = {
    functions       = [module.authorizer.name, module.session.name, module.stream.name]
    stream_function = module.stream.name
  }
}
