#!/usr/bin/env bash
# Runs the host tests of the engines under Miri. Says SKIPPED where there is no nightly Rust, or no Miri for it.
#
# usage: scripts/miri.sh
# needs: the network, where nightly Rust has no Miri.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! scripts/require.sh nightly 2>/dev/null; then
    echo "SKIPPED: Miri, since there is no nightly Rust: rustup toolchain install nightly --component miri,rust-src"
    exit 0
fi
if ! cargo +nightly miri --version >/dev/null 2>&1 && ! rustup component add --toolchain nightly miri rust-src; then
    echo "SKIPPED: Miri, since the nightly Rust has none: rustup component add --toolchain nightly miri rust-src"
    exit 0
fi
# What Miri cannot run is said where it stands, in src/memory/linear/this_module.rs.
export MIRIFLAGS="-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check"
cargo +nightly miri test --package freeing-bump --lib --tests
