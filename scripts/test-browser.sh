#!/usr/bin/env bash
# The client in a real browser, against the stand-ins of `make local` on ports of its own.
# Arguments go to Playwright; UPDATE_SCREENSHOTS=1 also renews the pictures in docs/images/.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/npm-packages.sh frontend

# A pipeline brings no browser. Elsewhere installing one is up to the developer: the tests say what is missing.
has_browser() {
  [[ -n ${CHROMIUM:-} ]] || command -v chromium chromium-browser google-chrome >/dev/null
}
if [[ -n ${CI:-} && $(id -u) == 0 ]] && ! has_browser; then
  apt-get update --quiet --quiet
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends \
    chromium fonts-dejavu fonts-noto-color-emoji fonts-wqy-zenhei >/dev/null
fi

cd frontend
# A process group of its own, so that nothing outlives an interrupted run.
set -m
node_modules/.bin/playwright test "$@" &
readonly tests=$!
trap 'kill -TERM -- "-$tests" 2>/dev/null || true' EXIT
wait "$tests"
