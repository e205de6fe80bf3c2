# What lambdas/ keeps in it, and under which keys, is in docs/operations.md.
resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV_AWS_28: the data lives a day; restored, it would hold answers that their users were told are gone
  # checkov:skip=CKV_AWS_119: a key of one's own costs money and locks people out; DynamoDB encrypts with AWS's
  name         = "${var.name_prefix}-streams"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}
