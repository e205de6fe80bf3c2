# A function asks the one model, by the one way that the operator chose, and nothing else at Bedrock.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  request_fields    = "{}"
  max_output_tokens = 1024
}

run "inference_profile" {
  command = apply
  module {
    source = "./modules/model"
  }
  variables {
    model_id = "us.anthropic.claude-haiku-5-5"
  }

  assert {
    condition     = length(data.aws_iam_policy_document.invoke.statement) == 2
    error_message = "An inference profile takes two statements."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.invoke.statement : [statement.actions, statement.resources, statement.condition] if statement.sid == "AskInferenceProfile"]) == jsonencode([[
      ["bedrock:InvokeModelWithResponseStream"],
      ["arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-haiku-5-5"],
      [],
    ]])
    error_message = "One: asking the profile of this account and region."
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.invoke.statement : [statement.actions, statement.resources, statement.condition] if statement.sid == "AskModelThroughInferenceProfile"]) == jsonencode([[
      ["bedrock:InvokeModelWithResponseStream"],
      [
        "arn:aws:bedrock:ca-central-1::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:ca-west-1::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-east-2::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-west-1::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-haiku-5-5",
      ],
      [{
        test     = "StringEquals"
        values   = ["arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-haiku-5-5"]
        variable = "bedrock:InferenceProfileArn"
      }],
    ]])
    error_message = "Two: its model in every region of the geography, through the profile only."
  }

  assert {
    condition     = output.invoke_policy == data.aws_iam_policy_document.invoke.json
    error_message = "That policy is the one that the functions get."
  }
}

run "plain_model" {
  command = apply
  module {
    source = "./modules/model"
  }
  variables {
    model_id = "amazon.nova-micro-v1:0"
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.invoke.statement : [statement.actions, statement.resources, statement.condition]]) == jsonencode([[
      ["bedrock:InvokeModelWithResponseStream"],
      ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0"],
      [],
    ]])
    error_message = "A model without a profile: that model, in this region."
  }
}

run "global_profile" {
  command = apply
  module {
    source = "./modules/model"
  }
  variables {
    model_id = "global.anthropic.claude-haiku-5-5"
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.invoke.statement : statement.resources]) == jsonencode([
      ["arn:aws:bedrock:us-east-1:111122223333:inference-profile/global.anthropic.claude-haiku-5-5"],
      ["arn:aws:bedrock:::foundation-model/anthropic.claude-haiku-5-5", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5"],
    ])
    error_message = "A global profile asks the model here, and in no region by name."
  }

  assert {
    condition     = jsonencode([for statement in data.aws_iam_policy_document.invoke.statement : length(statement.condition)]) == "[0,1]"
    error_message = "The model through the profile only."
  }
}

run "another_partition" {
  command = apply
  module {
    source = "./modules/model"
  }
  variables {
    model_id = "us-gov.anthropic.claude-haiku-5-5"
  }
  override_data {
    target = data.aws_partition.this
    values = {
      partition = "aws-us-gov"
    }
  }
  override_data {
    target = data.aws_region.this
    values = {
      id = "us-gov-west-1"
    }
  }

  assert {
    condition = jsonencode([for statement in data.aws_iam_policy_document.invoke.statement : statement.resources]) == jsonencode([
      ["arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:inference-profile/us-gov.anthropic.claude-haiku-5-5"],
      ["arn:aws-us-gov:bedrock:us-gov-east-1::foundation-model/anthropic.claude-haiku-5-5", "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-haiku-5-5"],
    ])
    error_message = "ARNs begin with the partition, and stay in it."
  }
}

run "geographies" {
  command = apply
  module {
    source = "./modules/model"
  }
  variables {
    model_id = "eu.amazon.nova-micro-v1:0"
  }

  assert {
    condition     = alltrue([for region in local.regions.eu : can(regex("^(eu|il)-", region))]) && alltrue([for region in local.regions.apac : can(regex("^(ap|me)-", region))])
    error_message = "A geography holds no other's regions."
  }

  assert {
    condition     = length(flatten([for statement in data.aws_iam_policy_document.invoke.statement : statement.resources])) == 1 + length(local.regions.eu)
    error_message = "The profile, and its model in each region of the geography."
  }

  assert {
    condition     = jsonencode([local.regions.jp, local.regions.au]) == jsonencode([["ap-northeast-1", "ap-northeast-3"], ["ap-southeast-2", "ap-southeast-4"]])
    error_message = "Profiles of one country stay in it: that is what they are for."
  }
}
