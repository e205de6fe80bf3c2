#!/usr/bin/env bash
# Applies terraform/ with the zips of dist/ and writes frontend/.env. Terraform shows what it is going to do and asks.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/aws-account.sh
scripts/terraform-init.sh
terraform -chdir=terraform apply
scripts/frontend-env.sh

cat <<EOF

Deployed. What to do next:
  scripts/create-test-user.sh                the user testuser, or one of your own: NAME PASSWORD
  make smoke                                 one answer through each architecture
  terraform -chdir=terraform destroy         remove everything
Dashboard: $(terraform -chdir=terraform output -raw dashboard_url)
EOF
