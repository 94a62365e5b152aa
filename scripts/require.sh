#!/usr/bin/env bash
# Checks that this machine has programs that no task can install. The first one that is missing is an error, which says
# how to get it.
#
# usage: scripts/require.sh NAME...
#     NAME is bash, nightly, rust-src, cxx, node, npm, chromium or chromedriver.
# needs: for node and npm, OLDEST_NODE_VERSION as Makefile.toml sets it, or Makefile.toml itself.
#
# It runs in bash 3.2, which macOS comes with.
set -euo pipefail

: "${OLDEST_NODE_VERSION:=$(sed -n 's/^OLDEST_NODE_VERSION = "\(.*\)"$/\1/p' "$(dirname "$0")/../Makefile.toml")}"

fail() {
    echo "error: $*" >&2
    exit 1
}

in_path() {
    command -v "$1" >/dev/null
}

require() {
    case $1 in
    # Older ones have no `mapfile`, or take an empty array for an unset one.
    bash)
        if [ $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1])) -lt 404 ]; then
            fail "this needs bash 4.4 or newer, and this is $BASH_VERSION: install it (on macOS: brew install bash)"
        fi
        ;;
    nightly)
        if ! cargo +nightly --version >/dev/null 2>&1; then
            fail "this needs nightly Rust beside the stable one: rustup toolchain install nightly"
        fi
        ;;
    rust-src)
        if [ ! -d "$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ]; then
            fail "this compiles the standard library, and nightly Rust has no rust-src:" \
                "rustup component add --toolchain nightly rust-src"
        fi
        ;;
    cxx)
        if ! "${CXX:-c++}" --version >/dev/null 2>&1; then
            fail "libFuzzer is compiled from C++, and \`${CXX:-c++}\` is not in PATH:" \
                "install a C++ compiler (on Debian: apt-get install g++)"
        fi
        ;;
    node)
        local version major
        if ! version=$(node --version 2>/dev/null); then
            fail "the modules under test run in Node, and \`node\` is not in PATH:" \
                "install Node.js $OLDEST_NODE_VERSION or newer"
        fi
        major=${version#v}
        major=${major%%.*}
        if [ "$major" -lt "$OLDEST_NODE_VERSION" ]; then
            fail "the modules under test need Node.js $OLDEST_NODE_VERSION or newer, and this is $version: update it"
        fi
        ;;
    npm)
        local program
        for program in node npm; do
            if ! in_path "$program"; then
                fail "$program is not in PATH: install Node.js $OLDEST_NODE_VERSION or newer, which brings npm"
            fi
        done
        ;;
    chromium)
        if ! in_path chromium && ! in_path google-chrome; then
            fail "neither chromium nor google-chrome is in PATH: install one from your operating system" \
                "(on Debian: apt-get install chromium)"
        fi
        ;;
    chromedriver)
        if ! in_path chromedriver; then
            fail "chromedriver is not in PATH: install the driver of your Chromium or Chrome" \
                "(on Debian: apt-get install chromium-driver)"
        fi
        ;;
    *)
        fail "require.sh does not know \"$1\": the comment at its top lists what it checks"
        ;;
    esac
}

for name in "$@"; do
    require "$name"
done
