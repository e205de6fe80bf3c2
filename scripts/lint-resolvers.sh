#!/usr/bin/env bash
# AppSync's own rules over the resolvers: its JavaScript is a small part of the language.
set -euo pipefail
cd "$(dirname "$0")/../tools/resolver-lint"
[[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --no-fund --no-audit
npm run --silent lint
echo "resolvers: clean"
