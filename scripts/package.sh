#!/usr/bin/env bash
# Packs each function as `bootstrap` into dist/<function>.zip, the same bytes for the same binary, and notes the CPU in
# dist/cpu-architecture, which Terraform reads: package.sh <arm64|x86_64> <function>...
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh zip readelf

# What the runtime provided.al2023 has.
readonly newest_glibc=2.34 cpu=$1
shift
binaries=$(scripts/compile.sh "$cpu" "$@")

rm -rf dist
mkdir dist
for function in "$@"; do
  glibc=$(readelf --version-info "$binaries/$function" | grep -o 'GLIBC_[0-9.]*' | cut -d_ -f2 | sort -uV | tail -n 1)
  if [[ $(printf '%s\n' "$glibc" "$newest_glibc" | sort -V | tail -n 1) != "$newest_glibc" ]]; then
    echo "$function needs glibc $glibc, Lambda has $newest_glibc: build on an older system" >&2
    exit 1
  fi
  mkdir "dist/$function"
  cp "$binaries/$function" "dist/$function/bootstrap"
  chmod 755 "dist/$function/bootstrap"
  # Time stamps are part of a zip, in local time.
  TZ=UTC touch -t 198001010000.00 "dist/$function/bootstrap"
  (cd "dist/$function" && TZ=UTC zip --quiet -X "../$function.zip" bootstrap)
  rm -r "dist/${function:?}"
  printf '%s  %s bytes  glibc %s\n' "dist/$function.zip" "$(($(wc -c <"dist/$function.zip")))" "$glibc"
done
echo "$cpu" >dist/cpu-architecture
