# Who gets in, and with what.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "sign_in" {
  command = apply
  module {
    source = "./modules/auth"
  }
  variables {
    name_prefix = "chat"
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.admin_create_user_config).allow_admin_create_user_only
    error_message = "Nobody signs up: whoever does could spend the account's money."
  }

  assert {
    condition     = jsonencode(aws_cognito_user_pool.this.alias_attributes) == jsonencode(["email"]) && aws_cognito_user_pool.this.username_attributes == null
    error_message = "A user name and an email address both sign in."
  }

  assert {
    condition     = !one(aws_cognito_user_pool.this.username_configuration).case_sensitive
    error_message = "User names differ in more than capitals."
  }

  assert {
    condition = alltrue([
      for policy in aws_cognito_user_pool.this.password_policy :
      policy.minimum_length >= 12 && policy.require_lowercase && policy.require_uppercase && policy.require_numbers && policy.require_symbols
    ]) && length(aws_cognito_user_pool.this.password_policy) == 1
    error_message = "Passwords have 12 characters of all four kinds."
  }

  assert {
    condition     = jsonencode(one(aws_cognito_user_pool.this.account_recovery_setting).recovery_mechanism) == jsonencode([{ name = "verified_email", priority = 1 }])
    error_message = "A lost password is replaced by the verified email address and nothing else."
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser.user_pool_id == aws_cognito_user_pool.this.id && !aws_cognito_user_pool_client.browser.generate_secret
    error_message = "The app client has no secret: a page cannot keep one."
  }

  assert {
    condition     = jsonencode(sort(aws_cognito_user_pool_client.browser.explicit_auth_flows)) == jsonencode(["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"])
    error_message = "The app client knows SRP, passwords and refresh, and no other flow."
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser.prevent_user_existence_errors == "ENABLED"
    error_message = "A wrong user name and a wrong password get the same answer."
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser.enable_token_revocation
    error_message = "Signing out ends the refresh token."
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser.access_token_validity == 60 && one(aws_cognito_user_pool_client.browser.token_validity_units).access_token == "minutes"
    error_message = "An access token is good for 60 minutes."
  }

  assert {
    condition     = aws_cognito_user_pool_client.browser.refresh_token_validity == 12 && one(aws_cognito_user_pool_client.browser.token_validity_units).refresh_token == "hours"
    error_message = "A refresh token is good for 12 hours."
  }
}
