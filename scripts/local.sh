#!/usr/bin/env bash
# Runs the built functions in local-cloud, and the client beside it. When one ends, so does the other.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly port=${PAGE_PORT:-5173}

LOCAL_PAGE=http://localhost:$port target/debug/local-cloud &
cloud=$!
# Vite reads frontend/.env.local, which local-cloud writes, and reads it again when that changes.
(cd frontend && exec node_modules/.bin/vite --port "$port" --clearScreen false --logLevel warn) &
client=$!
trap 'kill "$client" "$cloud" 2>/dev/null || true; wait' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The bash of macOS can only wait for a given one.
if ((BASH_VERSINFO[0] >= 5)); then wait -n "$client" "$cloud"; else wait "$cloud"; fi
