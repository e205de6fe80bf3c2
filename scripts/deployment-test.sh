#!/usr/bin/env bash
# Deploys the zips of dist/ with the real terraform/ onto emulators of AWS, uses what was deployed, and destroys it.
# Builds nothing. Arguments go to pytest: scripts/deployment-test.sh -k websocket_api
set -euo pipefail
cd "$(dirname "$0")/.."
readonly tests=$PWD/tools/deployment-test venv=$PWD/.local/deployment-test/venv
scripts/need.sh python3 terraform node

if [[ $(uname -s) != Linux ]]; then
  echo "the deployment test needs Linux: it runs the functions of the zips on this machine" >&2
  exit 1
fi
for function in lambdas/functions/*; do
  zip=dist/${function##*/}.zip
  [[ -f $zip ]] && continue
  echo "$zip is missing: run \`make build\`" >&2
  exit 1
done
cpu=$(uname -m | sed 's/aarch64/arm64/')
if [[ $(cat dist/cpu-architecture) != "$cpu" ]]; then
  echo "the zips are not for this machine: run \`make build CPU_ARCHITECTURE=$cpu\`" >&2
  exit 1
fi
if [[ ! -x ${CARGO_TARGET_DIR:-target}/debug/probe ]]; then
  echo "the client is missing: run \`cargo build --package probe\`" >&2
  exit 1
fi

# Anew when the requirements changed.
if ! cmp --silent "$tests/requirements.txt" "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$tests/requirements.txt"
  cp "$tests/requirements.txt" "$venv"
fi
# From there, or the order of the files in pyproject.toml would not hold.
cd "$tests"
exec "$venv/bin/python" -B -m pytest "$@"
