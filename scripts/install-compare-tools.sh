#!/usr/bin/env bash
# Installs the npm packages of the comparison program into compare/node_modules, at the versions of
# compare/package-lock.json, unless they are there.
#
# usage: scripts/install-compare-tools.sh
# needs: Node.js and npm; the network, where a package is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/require.sh npm
if npm ls --prefix compare >/dev/null 2>&1; then exit 0; fi

echo "Installing the engines and other npm packages into compare/node_modules: this takes a minute, once"
if ! npm ci --prefix compare; then
    echo "error: npm could not install the packages of compare/package-lock.json: check the network," \
        "and run the task again" >&2
    exit 1
fi
