#!/usr/bin/env bash
# Builds the example heap-picture, and serves its page or tests it in Chromium.
#
# usage: scripts/heap-picture.sh serve|test
# needs: wasm-pack; wasm-bindgen-cli in the version of the example; Node.js. For `test` the npm packages of the comparison
#     program, and Chromium or Chrome, in PATH or named by the variable CHROMIUM.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
serve) command=(node serve.mjs) ;;
test) command=(node --test page.test.mjs) ;;
*)
    echo "error: \"${1:-}\" is not serve or test" >&2
    exit 1
    ;;
esac

export CARGO_TARGET_DIR=$PWD/target/examples/heap-picture
cd examples/heap-picture
wasm-pack build --mode no-install --target web --no-typescript --no-pack
"${command[@]}"
