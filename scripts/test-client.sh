#!/usr/bin/env bash
# Format, lint, types and tests of the client.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/npm-packages.sh frontend
cd frontend
npm run --silent check
echo "client: clean"
