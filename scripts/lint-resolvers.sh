#!/usr/bin/env bash
# AppSync's own rules over the resolvers: its JavaScript is a small part of the language.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/npm-packages.sh tools/resolver-lint
cd tools/resolver-lint
npm run --silent lint
echo "resolvers: clean"
