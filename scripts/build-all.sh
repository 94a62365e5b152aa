#!/usr/bin/env bash
# Builds the crate with each combination of its features for each supported target.
#
# usage: scripts/build-all.sh [ARGUMENT...]
#     The arguments go to `cargo build`.
# needs: SUPPORTED_TARGETS, as Makefile.toml sets it, and these targets.
set -euo pipefail
cd "$(dirname "$0")/.."

for target in $SUPPORTED_TARGETS; do
    for features in "" trace record walk profile threads trace,record,walk,profile,threads malloc \
        malloc,trace,record,walk,profile; do
        # Components are supported with the feature `malloc` alone.
        if [ "$target" = wasm32-wasip2 ] && [[ $features != malloc* ]]; then continue; fi
        # So are builds for threads with the feature `threads`, which then has no other beside it.
        if [[ $target == *-threads && $features != threads ]]; then continue; fi
        echo "building for $target with features '$features'"
        cargo build "$@" --package freeing-bump --target "$target" --no-default-features --features "$features"
    done
done
