#!/usr/bin/env bash
# Format and lint of the Python code, by one version for everybody: lint-python.sh [--fix].
set -euo pipefail
cd "$(dirname "$0")/.."
readonly sources=(tools/deployment-test benchmarks/peers/python)

tools=$(scripts/python-tools.sh ruff==0.17.6)
if [[ ${1:-} == --fix ]]; then
  "$tools/ruff" format --quiet --no-cache "${sources[@]}"
  "$tools/ruff" check --quiet --no-cache --fix "${sources[@]}"
else
  "$tools/ruff" format --quiet --no-cache --diff "${sources[@]}"
  "$tools/ruff" check --quiet --no-cache "${sources[@]}"
fi
echo "python: clean"
