#!/usr/bin/env bash
# Format and lint of the Python code, by one version for everybody: lint-python.sh [--fix].
set -euo pipefail
cd "$(dirname "$0")/.."
readonly version=0.17.6 venv=.local/ruff sources=tools/deployment-test

if [[ $("$venv/bin/ruff" --version 2>/dev/null) != "ruff $version" ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "ruff==$version"
fi
if [[ ${1:-} == --fix ]]; then
  "$venv/bin/ruff" format --quiet --no-cache "$sources"
  "$venv/bin/ruff" check --quiet --no-cache --fix "$sources"
else
  "$venv/bin/ruff" format --quiet --no-cache --diff "$sources"
  "$venv/bin/ruff" check --quiet --no-cache "$sources"
fi
echo "python: clean"
