#!/usr/bin/env bash
# Tests threads in workers of Node: builds the modules for threads on wasm32-unknown-unknown, and runs the tests of
# guest-tests/thread-checks. Says SKIPPED where there is no nightly Rust, or no rust-src for it.
#
# usage: scripts/test-threads.sh [TIMES]
#     The random tests do TIMES times what they do without it.
# needs: Node.js.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! missing=$(scripts/require.sh nightly rust-src 2>&1); then
    echo "SKIPPED: threads in Node, since ${missing#error: }"
    exit 0
fi
scripts/build-for-threads.sh --package allocator-module --features freeing-bump,thread-host
scripts/build-for-threads.sh --package threads-module --features freeing-bump
TIMES=${1:-1} node --test guest-tests/thread-checks/*.test.mjs
