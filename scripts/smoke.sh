#!/usr/bin/env bash
# One short answer through each deployed architecture: smoke.sh [user] [password]. Fails if one does not end well.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo
if [[ ! -f frontend/.env ]]; then
  echo "frontend/.env is missing: run \`make deploy\`, or scripts/frontend-env.sh for what is deployed already" >&2
  exit 1
fi
cargo run --quiet --package probe -- --env-file frontend/.env --user "${1:-testuser}" --password "${2:-TestPassword123!}" \
  --max-tokens 100 --quiet "Say in two sentences what streaming is."
