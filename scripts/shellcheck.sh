#!/usr/bin/env bash
# Checks every script of this repository with shellcheck. Says SKIPPED where that is not installed.
#
# usage: scripts/shellcheck.sh
# needs: nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v shellcheck >/dev/null; then
    echo "SKIPPED: shellcheck, which is not in PATH: install it from your operating system" \
        "(on Debian: apt-get install shellcheck)"
    exit 0
fi
shellcheck .ci/run scripts/*.sh
