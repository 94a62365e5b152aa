#!/usr/bin/env bash
# Builds the example parallel-page, once with each allocator, and serves its page or tests it in Chromium.
#
# usage: scripts/parallel-page.sh serve|test
# needs: what build-for-threads.sh needs; wasm-bindgen-cli in the version of the example; Node.js. For `test` the npm packages
#     of the comparison program, and Chromium or Chrome, in PATH or named by the variable CHROMIUM.
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

root=$PWD
cd examples/parallel-page

# Builds the module with these arguments of cargo, and writes it to this folder of pkg with its JavaScript.
build() {
    "$root/scripts/build-for-threads.sh" "${@:2}"
    wasm-bindgen --target web --no-typescript --out-dir "pkg/$1" \
        "$root/target/threads/wasm32-unknown-unknown/speed/parallel_page.wasm"
}

build default --no-default-features
build freeing-bump
"${command[@]}"
