#!/usr/bin/env bash
# Builds the functions that ours are measured next to, as one would deploy them, into target/bench: each a folder with an
# executable of the name of the function that it stands in for, and its zip.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh node npm python3 zip
readonly sources=$PWD/benchmarks/peers out=$PWD/target/bench
node=$(command -v node)
mkdir -p "$out/peers"

# What is installed is what the lock file says: it is copied when that is done.
if ! cmp --quiet "$sources/nodejs/package-lock.json" "$out/npm/installed"; then
  rm -rf "$out/npm" && mkdir "$out/npm"
  cp "$sources/nodejs/"{package.json,package-lock.json,.npmrc} "$out/npm"
  (cd "$out/npm" && npm ci --no-fund --no-audit --loglevel=error >&2)
  cp "$sources/nodejs/package-lock.json" "$out/npm/installed"
fi
if ! cmp --quiet "$sources/python/requirements.txt" "$out/python/installed"; then
  rm -rf "$out/python"
  python3 -m venv "$out/python"
  "$out/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$sources/python/requirements.txt" >&2
  cp "$sources/python/requirements.txt" "$out/python/installed"
fi

# bundle <entry> <file>: small, from the packages' ES modules, of which more can be left out.
bundle() {
  NODE_PATH=$out/npm/node_modules "$out/npm/node_modules/.bin/esbuild" "$sources/nodejs/$1" --outfile="$2" \
    --bundle --minify --platform=node --target=node20 --format=cjs --main-fields=module,main --log-level=warning
}

# peer <language> <function> <file>... and the command that runs it there, from standard input
peer() {
  local folder=$out/peers/$1-$2 function=$2
  (cd "$folder" && rm -f "$folder.zip" && zip --quiet -9 -X "$folder.zip" "${@:3}")
  printf '#!/bin/sh\nexec %s\n' "$(cat)" >"$folder/$function"
  chmod 755 "$folder/$function"
}

# The heap that Lambda's own runtime leaves to Node.js in 128 MB.
readonly heap='--max-semi-space-size=6 --max-old-space-size=115'
rm -rf "$out"/peers/*
for function in function-url appsync-worker; do
  bundle "$function.js" "$out/peers/nodejs-$function/index.js"
  peer nodejs "$function" index.js <<<"'$node' $heap index.js"
done
bundle jwt.js "$out/jwt.js"

mkdir "$out/peers/python-websocket-api-stream"
cp "$sources/python/"*.py "$out/peers/python-websocket-api-stream"
peer python websocket-api-stream runtime.py websocket_api_stream.py \
  <<<"'$out/python/bin/python3' websocket_api_stream.py"
