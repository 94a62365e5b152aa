#!/usr/bin/env bash
# Tests threads of wasm-bindgen: builds their module for threads, and checks it in Node and in a page. Says SKIPPED where there is
# no nightly Rust, or no rust-src for it.
#
# usage: scripts/test-threads-in-page.sh [TIMES]
#     The random tests do TIMES times what they do without it.
# needs: wasm-bindgen-cli in the version of Cargo.lock; Node.js; the npm packages of the comparison program; Chromium or Chrome, in
#     PATH or named by the variable CHROMIUM.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! missing=$(scripts/require.sh nightly rust-src 2>&1); then
    echo "SKIPPED: threads of wasm-bindgen, since ${missing#error: }"
    exit 0
fi
scripts/build-for-threads.sh --package threads-in-page-module --features freeing-bump
wasm-bindgen --target web --no-typescript --out-dir target/threads/in-page \
    target/threads/wasm32-unknown-unknown/speed/threads_in_page_module.wasm
TIMES=${1:-1} node --test guest-tests/thread-checks/in-page/*.test.mjs
