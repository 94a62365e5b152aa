#!/usr/bin/env bash
# Builds the examples, runs them and tests what they do.
#
# usage: scripts/test-examples.sh
# needs: the targets that examples are built for.
set -euo pipefail
cd "$(dirname "$0")/.."

# The other tools are named so that all share one build of wasmtime. They have no tests of these names.
cargo test --profile tools --package examples-host --package module-checks --package component-checks \
    --package freeing-bump-compare \
    --test word_count --test contract --test plug_in --test c_code --test component
