#!/usr/bin/env bash
# Changes the engines in one place at a time and runs the host tests on each change. .cargo/mutants.toml says what is
# changed and what is left out.
#
# usage: scripts/mutants.sh [FILE...]
#     Only changes in these files, where some are named.
# needs: bash 4.4; cargo-mutants.
set -euo pipefail
cd "$(dirname "$0")/.."

# `--file` would add to what .cargo/mutants.toml examines.
files=()
for file in "$@"; do files+=(--re "^$file:"); done
cargo mutants --package freeing-bump --output target "${files[@]}"
