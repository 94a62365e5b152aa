#!/usr/bin/env bash
# Installs the npm packages of a folder into its node_modules, at the versions of its package-lock.json, unless they are
# there.
#
# usage: scripts/install-npm-packages.sh FOLDER
# needs: Node.js and npm; the network, where a package is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
scripts/require.sh npm
if npm ls --prefix "$folder" >/dev/null 2>&1; then exit 0; fi

echo "Installing npm packages into $folder/node_modules: this takes a minute, once"
if ! npm ci --prefix "$folder"; then
    echo "error: npm could not install the packages of $folder/package-lock.json: check the network," \
        "and run the task again" >&2
    exit 1
fi
