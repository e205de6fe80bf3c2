#!/usr/bin/env bash
# Stops with one line when a tool is missing that the project cannot install by itself.
set -euo pipefail

for tool in "$@"; do
  command -v "$tool" >/dev/null && continue
  case $tool in
    aws) how='install the AWS CLI from https://aws.amazon.com/cli' ;;
    cargo) how='install Rust from https://rustup.rs' ;;
    cc) how='install a C compiler, such as the package gcc or Xcode command line tools' ;;
    node | npm) how='install Node.js 20 or later from https://nodejs.org' ;;
    python3) how='install Python 3.9 or later from https://python.org' ;;
    readelf) how='install the package binutils' ;;
    terraform) how='install Terraform 1.9 or later from https://developer.hashicorp.com/terraform/install' ;;
    *) how="install the package that holds $tool" ;;
  esac
  echo "$tool is missing: $how" >&2
  exit 1
done
