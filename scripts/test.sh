#!/usr/bin/env bash
# Runs a set of tests and keeps what it prints in target/test-results/SET.txt, which test-summary.sh counts.
#
# usage: scripts/test.sh SET
#     SET is host, compare, examples, guest or browser.
# needs: what the task test-SET depends on.
set -euo pipefail
cd "$(dirname "$0")/.."

set=${1:-}
case $set in
host | compare | examples | guest | browser) ;;
*)
    echo "error: there is no set of tests \"$set\": it is host, compare, examples, guest or browser" >&2
    exit 1
    ;;
esac

run_set() {
    case $set in
    host)
        cargo test --package freeing-bump
        cargo test --package freeing-bump --all-features
        # Optimized a little, since wasmtime is slow otherwise. The comparison program is named although it has no tests
        # of this kind: then its features apply, and both share the build.
        cargo test --profile tools --package module-checks --package component-checks --package freeing-bump-compare \
            --test '*'
        ;;
    compare)
        # As `cargo make report` builds it.
        cargo test --profile tools --package freeing-bump-compare
        # The programs that are measured.
        cargo test --profile tools --workspace --exclude freeing-bump --exclude guest-tests \
            --exclude allocator-module --exclude c-code-module --exclude component-module --exclude driver-module \
            --exclude threads-module --exclude threads-in-page-module --exclude module-checks --exclude component-checks \
            --exclude freeing-bump-compare --exclude examples-host
        ;;
    examples)
        scripts/test-examples.sh
        ;;
    guest)
        wasm-pack test --node --mode no-install guest-tests
        wasm-pack test --node --mode no-install guest-tests --features trace,walk,profile
        wasm-pack test --node --mode no-install --release guest-tests
        ;;
    browser)
        export WASM_BINDGEN_USE_BROWSER=1 WASM_BINDGEN_TEST_TIMEOUT=300
        wasm-pack test --headless --chrome --chromedriver "$(command -v chromedriver)" --mode no-install guest-tests \
            --features trace,walk,profile
        ;;
    esac
}

mkdir -p target/test-results
run_set 2>&1 | tee "target/test-results/$set.txt"
