#!/usr/bin/env bash
# Measures which lines, regions and branches of the library the host tests run: a table, and the lines that none runs.
#
# usage: scripts/coverage.sh
# needs: nightly Rust; cargo-llvm-cov; the network, where nightly Rust has no llvm-tools.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! rustup component add --toolchain nightly llvm-tools; then
    echo "error: could not install llvm-tools for nightly Rust: check the network" >&2
    exit 1
fi
# The tests themselves, and what they put in place of a module, are not what is measured.
not_the_library='/tests/'
cargo +nightly llvm-cov --package freeing-bump --all-features --branch --ignore-filename-regex "$not_the_library"
echo "Lines that no test on the host runs; CONTRIBUTING.md says why:"
cargo +nightly llvm-cov report --package freeing-bump --text --show-missing-lines \
    --ignore-filename-regex "$not_the_library" | sed -n 's|^.*/\(src/[^ ]*: [-0-9, ]*\)$|\1|p'
