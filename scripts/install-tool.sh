#!/usr/bin/env bash
# Installs a program from a crate into target/tools, unless the right version of it is in PATH.
#
# usage: scripts/install-tool.sh CRATE VERSION [PROGRAM]
#     PROGRAM is CRATE where it is not given.
# needs: the network, where the program is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

crate=$1
version=$2
program=${3:-$crate}

if [ "$("$program" --version 2>/dev/null)" = "$program $version" ]; then exit 0; fi

echo "Installing $crate $version into target/tools: this takes some minutes, once"
if ! cargo install --locked --root target/tools --version "=$version" "$crate"; then
    echo "error: could not install $crate $version: check the network and the messages above, and run the task again," \
        "or put $program $version into PATH yourself" >&2
    exit 1
fi
