#!/usr/bin/env bash
# Builds the component of the tests, translates it with jco and tests it in Node.
#
# usage: scripts/test-component-in-node.sh
# needs: the target wasm32-wasip2; Node.js and npm; the network, where an npm package is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=guest-tests/component-checks/in-node
scripts/install-npm-packages.sh $tests
cargo build --release --package component-module --target wasm32-wasip2 --target-dir target/component
COMPONENT=$PWD/target/component/wasm32-wasip2/release/component_module.wasm node --test $tests/component.test.mjs
