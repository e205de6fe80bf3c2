# What a streaming function may do with Bedrock: ask this one model.
data "aws_iam_policy_document" "invoke" {
  # Without an inference profile: the model itself, in this region.
  dynamic "statement" {
    for_each = local.inference_profile_arn == null ? [1] : []
    content {
      sid       = "AskModel"
      actions   = ["bedrock:InvokeModelWithResponseStream"]
      resources = local.model_arns
    }
  }

  # ConverseStream names the profile...
  dynamic "statement" {
    for_each = local.inference_profile_arn == null ? [] : [1]
    content {
      sid       = "AskInferenceProfile"
      actions   = ["bedrock:InvokeModelWithResponseStream"]
      resources = [local.inference_profile_arn]
    }
  }

  # ... and Bedrock asks the model in the region that the profile routes to, on the caller's rights. By way of the
  # profile only: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
  dynamic "statement" {
    for_each = local.inference_profile_arn == null ? [] : [1]
    content {
      sid       = "AskModelThroughInferenceProfile"
      actions   = ["bedrock:InvokeModelWithResponseStream"]
      resources = local.model_arns

      condition {
        test     = "StringEquals"
        variable = "bedrock:InferenceProfileArn"
        values   = [local.inference_profile_arn]
      }
    }
  }
}
