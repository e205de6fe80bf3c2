#!/usr/bin/env bash
# Initializes terraform/, or the folder given, with the locked provider: from a filesystem mirror where this machine has one
# ($TF_PLUGIN_DIR, or a folder in /opt or /usr/local/share of the layout that `terraform providers mirror` makes), from the
# registry otherwise.
set -euo pipefail
root=$(cd "${1:-$(dirname "$0")/../terraform}" && pwd)
"$(dirname "$0")/need.sh" terraform

version=$(sed -n 's/^ *version *= "\(.*\)"/\1/p' "$root/.terraform.lock.hcl")
mirror=()
for dir in ${TF_PLUGIN_DIR:+"$TF_PLUGIN_DIR"} /opt/* /usr/local/share/*; do
  provider=$dir/registry.terraform.io/hashicorp/aws
  if [[ -d $provider/$version ]] || compgen -G "$provider/*_${version}_*.zip" >/dev/null; then
    mirror=("-plugin-dir=$dir")
    break
  fi
done
# Quiet unless it fails: what it says is of use then only.
if ! said=$(terraform -chdir="$root" init -input=false -lockfile=readonly "${mirror[@]}" 2>&1); then
  echo "$said" >&2
  exit 1
fi
echo "terraform: initialized with hashicorp/aws $version"
