#!/usr/bin/env bash
# Prints a folder of commands in which these packages of PyPI are installed, in exactly these versions:
# python-tools.sh <name>==<version>...
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh python3
# Named by what is in it, so that another version is another folder.
folder=.local/python/$(IFS=+ && echo "$*")

if [[ ! -f $folder/complete ]]; then
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
  touch "$folder/complete"
fi
echo "$PWD/$folder/bin"
