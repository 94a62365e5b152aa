#!/usr/bin/env bash
# Installs cargo-make in the oldest version that Makefile.toml accepts, unless there is one.
#
# usage: scripts/install-cargo-make.sh
# needs: the network, where there is no cargo-make.
set -euo pipefail
cd "$(dirname "$0")/.."

if cargo make --version >/dev/null 2>&1; then exit 0; fi

version=$(sed -n 's/^min_version = "\(.*\)"$/\1/p' Makefile.toml)
echo "Installing cargo-make $version: this takes some minutes, once"
if ! cargo install --locked --debug --version "=$version" cargo-make; then
    echo "error: could not install cargo-make $version: check the network and the messages above" >&2
    exit 1
fi
