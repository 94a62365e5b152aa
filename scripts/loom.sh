#!/usr/bin/env bash
# Plays small cases of the protocol of threads in all orders in which the threads can run: src/threads/tests/protocol.rs.
#
# usage: scripts/loom.sh [SWITCHES]
#     The larger cases stop at so many switches between threads where both could go on; 3 where none are given.
set -euo pipefail
cd "$(dirname "$0")/.."

switches=${1:-3}
if [[ ! "$switches" =~ ^[0-9]+$ ]]; then
    echo "error: \"$switches\" is not a number of switches; for example: cargo make loom 5" >&2
    exit 1
fi
# In a folder of its own, since the flag is for all crates: they would be compiled again and again.
RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" FREEING_BUMP_LOOM_SWITCHES=$switches \
    cargo test --target-dir target/loom --package freeing-bump --lib -- threads::tests::protocol
