#!/usr/bin/env bash
# Runs clippy on the host and on wasm32, with each set of features that changes what is compiled. A warning is an error.
#
# usage: scripts/clippy.sh
# needs: clippy; the target wasm32-unknown-unknown.
set -euo pipefail
cd "$(dirname "$0")/.."

wasm=(--target wasm32-unknown-unknown)
strict=(-- --deny warnings)

cargo clippy --workspace --all-targets "${strict[@]}"
cargo clippy --workspace --all-targets --all-features "${strict[@]}"
# What `cargo make report` compiles.
cargo clippy --package freeing-bump-compare --all-targets --no-default-features "${strict[@]}"
for features in freeing-bump tiny checked report-errors freeing-bump,ceiling checked,ceiling \
    freeing-bump,export-profile; do
    cargo clippy --package allocator-module --features "$features" "${wasm[@]}" "${strict[@]}"
done
for features in freeing-bump tiny checked; do
    cargo clippy --package driver-module --features "$features" "${wasm[@]}" "${strict[@]}"
done
cargo clippy --package freeing-bump --all-features "${wasm[@]}" "${strict[@]}"
# What `cargo make fuzz` compiles on nightly.
cargo clippy --package freeing-bump "${strict[@]}" --cfg fuzzing
for features in "" trace trace,profile; do
    cargo clippy --package freeing-bump --features "$features" "${wasm[@]}" "${strict[@]}"
    cargo clippy --package guest-tests --all-targets --features "$features" "${wasm[@]}" "${strict[@]}"
done
