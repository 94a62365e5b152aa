#!/usr/bin/env bash
# Installs Rust's libraries for the given targets, where they are missing.
#
# usage: scripts/install-targets.sh TARGET...
# needs: rustup, where a library is missing. RUSTUP_TOOLCHAIN names another toolchain than the default one.
set -euo pipefail

for target in "$@"; do
    if [ -d "$(rustc --print target-libdir --target "$target")" ]; then continue; fi
    echo "Installing the library for $target"
    if ! rustup target add "$target"; then
        echo "error: could not install the Rust library for $target: check the network and run" \
            "\`rustup target add $target\`. Without rustup, install that target from where your Rust comes" >&2
        exit 1
    fi
done
