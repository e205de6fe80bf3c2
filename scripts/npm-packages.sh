#!/usr/bin/env bash
# Installs a folder's npm packages, when they are not those of its lock file: npm-packages.sh <folder>
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh node npm
cd "$1"
[[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --no-fund --no-audit
