data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  # The regions that a geography's inference profiles may route to. A profile of one model uses some of them; a
  # right to the same model in a further one is worth nothing without the profile.
  # https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
  regions = {
    us     = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1"]
    us-gov = ["us-gov-east-1", "us-gov-west-1"]
    eu     = ["eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1"]
    apac   = ["ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7", "me-central-1"]
    jp     = ["ap-northeast-1", "ap-northeast-3"]
    au     = ["ap-southeast-2", "ap-southeast-4"]
    # The empty one is how a global profile names the model wherever it runs.
    global = [data.aws_region.this.id, ""]
  }

  prefix    = split(".", var.model_id)[0]
  geography = contains(keys(local.regions), local.prefix) ? local.prefix : null
  model     = local.geography == null ? var.model_id : trimprefix(var.model_id, "${local.prefix}.")
  bedrock   = "arn:${data.aws_partition.this.partition}:bedrock"

  inference_profile_arn = local.geography == null ? null : "${local.bedrock}:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:inference-profile/${var.model_id}"
  model_arns = [
    for region in local.geography == null ? [data.aws_region.this.id] : local.regions[local.geography] :
    "${local.bedrock}:${region}::foundation-model/${local.model}"
  ]
}
