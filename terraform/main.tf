# One sign-in, one model, one log of the streams, three ways to stream an answer. The three blocks differ in their names only, where the
# architectures do.

module "auth" {
  source = "./modules/auth"

  name_prefix = var.name_prefix
}

module "model" {
  source = "./modules/model"

  model_id          = var.model_id
  request_fields    = var.model_request_fields
  max_output_tokens = var.max_output_tokens
}

module "stream_log" {
  source = "./modules/stream-log"
  count  = var.stream_log ? 1 : 0

  name_prefix                        = var.name_prefix
  retention_hours                    = var.stream_log_retention_hours
  max_streams_per_user               = var.max_streams_per_user
  max_output_tokens_per_user_per_day = var.max_output_tokens_per_user_per_day
  abandon_after_seconds              = var.abandon_after_seconds
}

module "function_url" {
  source = "./modules/function-url"
  count  = contains(var.architectures, "function-url") ? 1 : 0

  name_prefix            = var.name_prefix
  auth                   = module.auth
  model                  = module.model
  stream_log             = one(module.stream_log[*])
  package_dir            = var.package_dir
  cpu_architecture       = local.cpu_architecture
  max_concurrent_streams = var.max_concurrent_streams
  log_retention_days     = var.log_retention_days
  tracing                = var.tracing
  allowed_origins        = var.allowed_origins
}

module "websocket_api" {
  source = "./modules/websocket-api"
  count  = contains(var.architectures, "websocket-api") ? 1 : 0

  name_prefix            = var.name_prefix
  auth                   = module.auth
  model                  = module.model
  stream_log             = one(module.stream_log[*])
  package_dir            = var.package_dir
  cpu_architecture       = local.cpu_architecture
  max_concurrent_streams = var.max_concurrent_streams
  flush_interval_ms      = lookup(var.flush_interval_ms, "websocket-api", null)
  log_retention_days     = var.log_retention_days
  tracing                = var.tracing
}

module "appsync" {
  source = "./modules/appsync"
  count  = contains(var.architectures, "appsync") ? 1 : 0

  name_prefix            = var.name_prefix
  auth                   = module.auth
  model                  = module.model
  stream_log             = one(module.stream_log[*])
  package_dir            = var.package_dir
  cpu_architecture       = local.cpu_architecture
  max_concurrent_streams = var.max_concurrent_streams
  flush_interval_ms      = lookup(var.flush_interval_ms, "appsync", null)
  log_retention_days     = var.log_retention_days
  tracing                = var.tracing
}

module "monitoring" {
  source = "./modules/monitoring"

  name_prefix      = var.name_prefix
  architectures    = { for name, module in local.architectures : name => module.monitored }
  stream_log_table = one(module.stream_log[*].table)
  alarms           = var.alarms
  alarm_topic_arn  = var.alarm_topic_arn
}

locals {
  tags = merge({ Project = "tristream", Deployment = var.name_prefix, ManagedBy = "terraform" }, var.tags)

  architectures = merge(
    { for module in module.function_url : "function-url" => module },
    { for module in module.websocket_api : "websocket-api" => module },
    { for module in module.appsync : "appsync" => module },
  )
  functions = merge([for architecture in local.architectures : architecture.functions]...)

  # `make build` notes beside the zips what they are built for, so that the two cannot differ.
  cpu_architecture_file = "${var.package_dir}/cpu-architecture"
  cpu_architecture      = fileexists(local.cpu_architecture_file) ? trimspace(file(local.cpu_architecture_file)) : "x86_64"
}
