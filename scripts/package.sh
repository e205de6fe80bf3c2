#!/usr/bin/env bash
# Packs target/release/<function> as `bootstrap` into dist/<function>.zip, the same bytes for the same binary.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh zip readelf sha256sum

# What the runtime provided.al2023 has.
readonly newest_glibc=2.34

rm -rf dist
mkdir dist
for function in "$@"; do
  binary=target/release/$function
  glibc=$(readelf --version-info "$binary" | grep -o 'GLIBC_[0-9.]*' | cut -d_ -f2 | sort -uV | tail -n 1)
  if [[ $(printf '%s\n' "$glibc" "$newest_glibc" | sort -V | tail -n 1) != "$newest_glibc" ]]; then
    echo "$function needs glibc $glibc, Lambda has $newest_glibc: build on an older system" >&2
    exit 1
  fi
  staging=dist/$function
  install -D --mode 0755 "$binary" "$staging/bootstrap"
  # Time stamps are part of a zip, in local time.
  TZ=UTC touch --date 1980-01-01T00:00:00 "$staging/bootstrap"
  (cd "$staging" && TZ=UTC zip --quiet -X "../$function.zip" bootstrap)
  rm -r "$staging"
  printf '%s  %s bytes  glibc %s\n' "dist/$function.zip" "$(stat --format %s "dist/$function.zip")" "$glibc"
done
