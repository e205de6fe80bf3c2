output "user_pool_id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "client_id" {
  description = "Id of the app client whose access tokens the architectures accept."
  value       = aws_cognito_user_pool_client.browser.id
}

output "environment" {
  description = "The settings of a function that verifies access tokens itself."
  value = {
    COGNITO_ISSUER    = local.issuer
    COGNITO_JWKS_URL  = "${local.issuer}/.well-known/jwks.json"
    COGNITO_CLIENT_ID = aws_cognito_user_pool_client.browser.id
  }
}

locals {
  issuer = "https://${aws_cognito_user_pool.this.endpoint}"
}
