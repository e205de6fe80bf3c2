#!/usr/bin/env bash
# Compiles functions for Lambda and prints the folder of the binaries: compile.sh <arm64|x86_64> <function>...
# On Linux of the same CPU with the machine's own compiler; otherwise with zig as the linker, which knows how to link
# for another CPU, another system and an older C library.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly cpu=$1
shift

case $cpu in
  arm64) triple=aarch64-unknown-linux-gnu ;;
  x86_64) triple=x86_64-unknown-linux-gnu ;;
  *) echo "CPU_ARCHITECTURE must be arm64 or x86_64, not $cpu" >&2 && exit 1 ;;
esac
packages=("${@/#/--package=}")

if [[ $(uname -s)-$(uname -m) == "Linux-${triple%%-*}" ]]; then
  scripts/need.sh cargo cc
  cargo build --release "${packages[@]}" >&2
  echo target/release
else
  scripts/need.sh cargo rustup
  rustup target add "$triple" >&2
  tools=$(scripts/python-tools.sh cargo-zigbuild==0.24.0 ziglang==0.15.2)
  # What the runtime provided.al2023 has.
  PATH=$tools:$PATH cargo zigbuild --release --target "$triple.2.34" "${packages[@]}" >&2
  echo "target/$triple/release"
fi
