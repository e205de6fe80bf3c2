#!/usr/bin/env bash
# Stops with one line when there are no AWS credentials that work; otherwise says whose account it is.
set -euo pipefail
"$(dirname "$0")/need.sh" aws

if ! account=$(aws sts get-caller-identity --region us-east-1 --query Account --output text 2>&1); then
  echo "no AWS credentials that work: run \`aws configure\` or \`aws sso login\`, or set AWS_PROFILE ($(tail -n 1 <<<"$account"))" >&2
  exit 1
fi
echo "AWS account $account"
