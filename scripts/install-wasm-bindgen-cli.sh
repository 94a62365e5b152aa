#!/usr/bin/env bash
# Installs wasm-bindgen-cli in the version that wasm-bindgen has in Cargo.lock: the two must agree.
#
# usage: scripts/install-wasm-bindgen-cli.sh
# needs: what install-tool.sh needs.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^name = "wasm-bindgen"$/ { n; s/^version = "\(.*\)"$/\1/p; }' Cargo.lock)
if [ -z "$version" ]; then
    echo "error: Cargo.lock does not have wasm-bindgen: restore it with \`git checkout Cargo.lock\`" >&2
    exit 1
fi
scripts/install-tool.sh wasm-bindgen-cli "$version" wasm-bindgen
