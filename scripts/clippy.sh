#!/usr/bin/env bash
# Runs clippy on the host and on wasm32, with each set of features that changes what is compiled. A warning is an error.
#
# usage: scripts/clippy.sh
# needs: clippy; the supported targets.
set -euo pipefail
cd "$(dirname "$0")/.."

wasm=(--target wasm32-unknown-unknown)
threads=(--target wasm32-wasip1-threads)
strict=(-- --deny warnings)

cargo clippy --workspace --all-targets "${strict[@]}"
cargo clippy --workspace --all-targets --all-features "${strict[@]}"
# What `cargo make report` compiles.
cargo clippy --package freeing-bump-compare --all-targets --no-default-features "${strict[@]}"
for features in freeing-bump tiny checked report-errors freeing-bump,ceiling checked,ceiling freeing-bump,walk \
    freeing-bump,export-profile freeing-bump,malloc freeing-bump,thread-host; do
    cargo clippy --package allocator-module --features "$features" "${wasm[@]}" "${strict[@]}"
done
for features in freeing-bump tiny checked; do
    cargo clippy --package driver-module --features "$features" "${wasm[@]}" "${strict[@]}"
done
cargo clippy --package freeing-bump --features threads "${threads[@]}" "${strict[@]}"
for features in "" freeing-bump ceiling wrapped; do
    cargo clippy --package threads-module --features "$features" "${wasm[@]}" "${strict[@]}"
    cargo clippy --package threads-module --features "$features" "${threads[@]}" "${strict[@]}"
done
cargo clippy --package threads-in-page-module --features freeing-bump "${wasm[@]}" "${strict[@]}"
cargo clippy --package c-code-module "${wasm[@]}" "${strict[@]}"
cargo clippy --package freeing-bump --all-features "${wasm[@]}" "${strict[@]}"
for example in "word-count wasm32-wasip1" "contract wasm32v1-none" "plug-in wasm32-unknown-unknown" \
    "component wasm32-wasip2" \
    "heap-picture wasm32-unknown-unknown" "parallel-page wasm32-unknown-unknown"; do
    read -r name target <<<"$example"
    cargo clippy --manifest-path "examples/$name/Cargo.toml" --target "$target" --target-dir target/examples/clippy \
        "${strict[@]}"
done
# What `cargo make fuzz` compiles on nightly.
cargo clippy --package freeing-bump "${strict[@]}" --cfg fuzzing
cargo clippy --package freeing-bump --features malloc "${strict[@]}" --cfg fuzzing
cargo clippy --package freeing-bump --features malloc "${wasm[@]}" "${strict[@]}"
cargo clippy --package component-module --target wasm32-wasip2 "${strict[@]}"
for features in "" trace trace,walk,profile; do
    cargo clippy --package freeing-bump --features "$features" "${wasm[@]}" "${strict[@]}"
    cargo clippy --package guest-tests --all-targets --features "$features" "${wasm[@]}" "${strict[@]}"
done
