#!/usr/bin/env bash
# Runs the guest tests in Node in combinations of profile and target features. All combinations run, even when one
# fails. The results of all are kept in target/test-results/matrix.txt.
#
# usage: scripts/test-combinations.sh all|sample
#     sample: three combinations that `cargo make test-guest` does not have.
# needs: Node.js; the target wasm32-unknown-unknown; wasm-bindgen-cli in PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

# A combination is: debug assertions and overflow checks, opt-level, link-time optimization, target features. Rust
# enables bulk-memory by default. The standard library is compiled with it in any case.
combinations=()
case ${1:-} in
all)
    for features in +bulk-memory +simd128 -bulk-memory; do
        for lto in off fat; do
            for opt_level in s z 3; do
                combinations+=("true $opt_level $lto $features" "false $opt_level $lto $features")
            done
        done
    done
    ;;
sample)
    combinations=("true z fat +simd128" "false s off -bulk-memory" "true 3 fat +bulk-memory")
    ;;
*)
    echo "error: \"${1:-}\" is not all or sample" >&2
    exit 1
    ;;
esac

results=target/test-results/matrix.txt
log=target/test-results/combination.log
mkdir -p target/test-results
rm -f "$results"
number=0
failed=()
for combination in "${combinations[@]}"; do
    read -r assertions opt_level lto features <<<"$combination"
    number=$((number + 1))
    name="opt-level $opt_level, LTO $lto, debug assertions $assertions, $features"
    echo "$number of ${#combinations[@]}: $name"
    status=0
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=$assertions CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=$assertions \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=$opt_level CARGO_PROFILE_RELEASE_LTO=$lto \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Ctarget-feature=$features \
        cargo test --release --package guest-tests --features trace,walk,profile --target wasm32-unknown-unknown \
        --target-dir target/matrix >"$log" 2>&1 || status=$?
    cat "$log" >>"$results"
    passed=$(awk '/^test result: / { passed += $4 } END { print passed + 0 }' "$log")
    if [ $status -ne 0 ] || [ "$passed" -eq 0 ]; then
        cat "$log"
        failed+=("$name")
    fi
    echo "    $passed passed"
done
rm -f "$log"

if [ ${#failed[@]} -gt 0 ]; then
    printf 'error: the guest tests failed with %s: see the messages above\n' "${failed[@]}" >&2
    exit 1
fi
