#!/usr/bin/env bash
# Installs the client's packages, when they are not those of the lock file.
set -euo pipefail
cd "$(dirname "$0")/../frontend"
../scripts/need.sh node npm
[[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --no-fund --no-audit
