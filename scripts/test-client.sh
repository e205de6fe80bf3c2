#!/usr/bin/env bash
# Format, lint, types and tests of the client.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/client-packages.sh
cd frontend
npm run --silent check
echo "client: clean"
