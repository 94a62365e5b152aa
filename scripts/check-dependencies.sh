#!/usr/bin/env bash
# Checks the dependencies of the tools with cargo-deny: licences, bans, sources and, where the list of them can be fetched,
# advisories. deny.toml says what is allowed.
#
# usage: scripts/check-dependencies.sh
# needs: cargo-deny; the network, for advisories.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deny --workspace check licenses bans sources
if ! cargo deny --workspace fetch db; then
    echo "SKIPPED: advisories, since their list cannot be fetched: check the network"
    exit 0
fi
cargo deny --workspace --offline check advisories
