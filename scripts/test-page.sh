#!/usr/bin/env bash
# Tests a page of the report in Chromium.
#
# usage: scripts/test-page.sh [PAGE]
#     Without PAGE, a page of made-up figures is written and tested.
# needs: the npm packages of the comparison program; Chromium or Chrome, in PATH or named by the variable CHROMIUM.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then
    # Cargo calls it a success when no test has this name. Then there must be no page.
    rm -rf target/report/sample
    cargo test --profile tools --package freeing-bump-compare -- --ignored --exact \
        render::page::tests::a_page_of_every_allocator_and_workload_is_written
fi
PAGE=${1:-target/report/sample/index.html} node --test compare/page/page.test.mjs
