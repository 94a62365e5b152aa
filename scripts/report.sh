#!/usr/bin/env bash
# Compares all allocators: speed, memory and code size. Installs what that needs: the library of wasm32-unknown-unknown,
# and npm packages in compare/node_modules. Wasmtime is built into the comparison program only where it is timed: it is
# most of what there is to compile.
#
# usage: scripts/report.sh [report [OPTION...]]
#        scripts/report.sh replay [OPTION...] FILE...
#        scripts/report.sh settings
#     --help lists the options.
# needs: rustup, Node.js and npm; the network, the first time.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-targets.sh wasm32-unknown-unknown
scripts/install-npm-packages.sh compare

if [ $# -eq 0 ]; then set -- report; fi
features=(--no-default-features)
for argument in "$@"; do
    if [ "$argument" = --full ]; then features=(); fi
done
exec cargo run --profile tools --package freeing-bump-compare ${features[@]+"${features[@]}"} -- "$@"
