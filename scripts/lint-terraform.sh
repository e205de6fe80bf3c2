#!/usr/bin/env bash
# Terraform: format, validity, tests with a mocked provider, and checkov's rules. Needs no AWS account.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly report=.local/checkov.json
scripts/need.sh terraform python3

terraform fmt -check -diff -recursive terraform
scripts/terraform-init.sh
terraform -chdir=terraform validate -no-color

# Tests would read the operator's variables, which are not the defaults: so they run on a copy without them.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R terraform/*.tf terraform/.terraform.lock.hcl terraform/modules terraform/tests "$copy"
ln -s "$PWD/terraform/.terraform" "$copy/.terraform"
unset "${!TF_VAR_@}"
terraform -chdir="$copy" test -no-color |
  grep --line-buffered --invert-match -e '^  run .* pass$' -e ' in progress$' -e ' tearing down$'

tools=$(scripts/python-tools.sh checkov==3.3.30)
"$tools/checkov" --directory terraform --config-file terraform/.checkov.yaml \
  --output cli --output json --output-file-path "console,$report"
# A file that it cannot read is nothing to it, and neither is a scan of nothing.
python3 - "$report" <<'EOF'
import json, sys
report = json.load(open(sys.argv[1]))
summary = report.get("summary", report)
print("checkov: {passed} passed, {skipped} skipped, {resource_count} resources".format(**summary))
if summary["parsing_errors"] or not summary["resource_count"]:
    sys.exit("checkov could not read {parsing_errors} files".format(**summary))
EOF
echo "terraform: clean"
