#!/usr/bin/env bash
# Prints outputs of the deployment, one on a line, empty where an architecture is left out: deployed.sh <output>...
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh terraform python3

outputs='{}'
# Before the first init there is no state, and Terraform would say so at length.
if [[ -d terraform/.terraform || -f terraform/terraform.tfstate ]]; then
  outputs=$(terraform -chdir=terraform output -json)
fi
if [[ $outputs == '{}' ]]; then
  echo "nothing is deployed from here: run \`make deploy\` first" >&2
  exit 1
fi
python3 -c '
import json, sys
outputs = json.loads(sys.argv[1])
for name in sys.argv[2:]:
    print(outputs.get(name, {}).get("value") or "")
' "$outputs" "$@"
