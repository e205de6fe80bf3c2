#!/usr/bin/env bash
# Format, lint, types and tests of the client.
set -euo pipefail
cd "$(dirname "$0")/../frontend"
../scripts/need.sh node npm
[[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --no-fund --no-audit
npm run --silent check
echo "client: clean"
