#!/usr/bin/env bash
# Runs the tests of real threads with ThreadSanitizer, which finds accesses to the simulated memory that race. Says SKIPPED where
# there is no nightly Rust, or it has no sources of the standard library, or the system is another than Linux on x86-64.
#
# usage: scripts/thread-sanitizer.sh [STEPS]
#     Each thread makes so many steps; 1,000 where none are given.
# needs: the network, where nightly Rust has no sources.
set -euo pipefail
cd "$(dirname "$0")/.."

steps=${1:-1000}
if [[ ! "$steps" =~ ^[0-9]+$ ]]; then
    echo "error: \"$steps\" is not a number of steps; for example: cargo make thread-sanitizer 100000" >&2
    exit 1
fi
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "SKIPPED: ThreadSanitizer, since this is not Linux on x86-64"
    exit 0
fi
if ! scripts/require.sh nightly 2>/dev/null; then
    echo "SKIPPED: ThreadSanitizer, since there is no nightly Rust: rustup toolchain install nightly --component rust-src"
    exit 0
fi
library=$(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library
if [ ! -e "$library/Cargo.lock" ] && ! rustup component add --toolchain nightly rust-src; then
    echo "SKIPPED: ThreadSanitizer, since the nightly Rust has no sources: rustup component add --toolchain nightly rust-src"
    exit 0
fi
# The standard library too, whose channels and locks order accesses.
RUSTFLAGS="-Zsanitizer=thread" FREEING_BUMP_THREAD_STEPS=$steps \
    cargo +nightly test -Zbuild-std --target x86_64-unknown-linux-gnu --target-dir target/thread-sanitizer \
    --package freeing-bump --lib -- threads::tests::stress
