#!/usr/bin/env bash
# Builds an example that is a page, and serves it or tests it in Chromium.
#
# usage: scripts/example-page.sh heap-picture|parallel-page serve|test
# needs: wasm-bindgen-cli in the version of the example; Node.js; wasm-pack for heap-picture, what build-for-threads.sh needs
#     for parallel-page. For `test` the npm packages of the comparison program, and Chromium or Chrome, in PATH or named by the
#     variable CHROMIUM.
set -euo pipefail
cd "$(dirname "$0")/.."

example=${1:-}
case ${2:-} in
serve) command=(node serve.mjs) ;;
test) command=(node --test page.test.mjs) ;;
*)
    echo "error: \"${2:-}\" is not serve or test" >&2
    exit 1
    ;;
esac

root=$PWD

# Builds parallel-page with these arguments of cargo, and writes the module to this folder of pkg with its JavaScript.
build_for_threads() {
    "$root/scripts/build-for-threads.sh" "${@:2}"
    wasm-bindgen --target web --no-typescript --out-dir "pkg/$1" \
        "$root/target/threads/wasm32-unknown-unknown/speed/parallel_page.wasm"
}

case $example in
heap-picture)
    cd examples/heap-picture
    CARGO_TARGET_DIR=$root/target/examples/heap-picture \
        wasm-pack build --mode no-install --target web --no-typescript --no-pack
    ;;
parallel-page)
    cd examples/parallel-page
    build_for_threads default --no-default-features
    build_for_threads freeing-bump
    ;;
*)
    echo "error: \"$example\" is not heap-picture or parallel-page" >&2
    exit 1
    ;;
esac
"${command[@]}"
