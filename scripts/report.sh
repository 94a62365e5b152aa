#!/usr/bin/env bash
# Runs the comparison program. Wasmtime, most of what there is to compile, is built into it only where it is timed.
#
# usage: scripts/report.sh report|replay [OPTION...] [FILE...]
set -euo pipefail
cd "$(dirname "$0")/.."

features=(--no-default-features)
for argument in "$@"; do
    if [ "$argument" = --full ]; then features=(); fi
done
exec cargo run --profile tools --package freeing-bump-compare ${features[@]+"${features[@]}"} -- "$@"
