# An inference profile is known in the regions of its geography only: elsewhere Bedrock refuses every prompt.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir   = "tests/packages"
  architectures = ["function-url"]
  alarms        = false
}

run "us_profile_in_europe" {
  command = plan
  variables {
    region   = "eu-central-1"
    model_id = "us.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "us_profile_in_govcloud" {
  command = plan
  variables {
    region   = "us-gov-west-1"
    model_id = "us.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "govcloud_profile_outside" {
  command = plan
  variables {
    region   = "us-east-1"
    model_id = "us-gov.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "eu_profile_in_america" {
  command = plan
  variables {
    region   = "us-east-1"
    model_id = "eu.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "apac_profile_in_europe" {
  command = plan
  variables {
    region   = "eu-west-1"
    model_id = "apac.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "jp_profile_in_america" {
  command = plan
  variables {
    region   = "us-west-2"
    model_id = "jp.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "au_profile_in_europe" {
  command = plan
  variables {
    region   = "eu-north-1"
    model_id = "au.anthropic.claude-haiku-5-5"
  }
  expect_failures = [var.model_id]
}

run "us_profile_in_canada" {
  command = plan
  variables {
    region   = "ca-central-1"
    model_id = "us.anthropic.claude-haiku-5-5"
  }
}

run "govcloud_profile_at_home" {
  command = plan
  variables {
    region   = "us-gov-west-1"
    model_id = "us-gov.anthropic.claude-haiku-5-5"
  }
}

run "eu_profile_in_israel" {
  command = plan
  variables {
    region   = "il-central-1"
    model_id = "eu.anthropic.claude-haiku-5-5"
  }
}

run "apac_profile_in_the_emirates" {
  command = plan
  variables {
    region   = "me-central-1"
    model_id = "apac.anthropic.claude-haiku-5-5"
  }
}

run "global_profile_anywhere" {
  command = plan
  variables {
    region   = "sa-east-1"
    model_id = "global.anthropic.claude-haiku-5-5"
  }
}

run "provider_with_a_digit" {
  command = plan
  variables {
    region   = "us-east-1"
    model_id = "ai21.jamba-1-5-large-v1:0"
  }
}
