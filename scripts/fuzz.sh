#!/usr/bin/env bash
# Fuzzes targets of fuzz/, each for a number of seconds. Inputs that find something new go to target/fuzz/corpus.
#
# usage: scripts/fuzz.sh [SECONDS [TARGET...]]
#     60 seconds where none are given, and each target where none is named.
# needs: bash 4.4; nightly Rust; a C++ compiler; cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
if [[ ! "$seconds" =~ ^[0-9]+$ ]]; then
    echo "error: \"$seconds\" is not a number of seconds; for example: cargo make fuzz 600" >&2
    exit 1
fi
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then mapfile -t targets < <(cargo fuzz list); fi

for target in "${targets[@]}"; do
    # The target of C's functions is of a feature, and begins with the inputs of the same engine.
    features=()
    kept=$target
    if [ "$target" = malloc ]; then
        features=(--features malloc)
        kept=freeing_bump
    fi
    mkdir -p "target/fuzz/corpus/$target"
    echo "fuzzing $target for $seconds seconds"
    # No sanitizer: a fault is a failed assertion, an overflow or a bounds check. New inputs go to the first folder.
    cargo +nightly fuzz run --sanitizer none --target-dir target/fuzz "${features[@]}" "$target" \
        "target/fuzz/corpus/$target" "fuzz/corpus/$kept" -- -max_total_time="$seconds" -max_len=1024
done
