#!/usr/bin/env bash
# Runs what must pass before a merge. All tasks run, even when one fails. The end names those that failed. The line
# `N passed, N failed` before it sums the results of all tests that ran.
#
# usage: scripts/ci.sh [PART...]
#     PART is stable, oldest, miri, threads or fuzz. Without one, all run except fuzz.
# needs: cargo-make, rustup and Node.js. The tasks install the rest, or say SKIPPED.
set -euo pipefail
cd "$(dirname "$0")/.."

# The one list of what CI does: a task in each line. `.ci/run`, `cargo make ci` and .github/workflows/ci.yml run it.
# `test-compare` comes before `test-host`, since it installs wasm-opt: without that, `test-host` skips what checks optimized
# sizes.
tasks_of() {
    case $1 in
    stable)
        echo "format-check
            shellcheck
            clippy
            doc
            build-all
            test-compare
            test-host
            test-guest
            test-matrix-sample
            test-examples
            test-component-in-node
            check-size
            check-module-size
            check-instructions
            test-browser
            test-page
            test-heap-picture"
        ;;
    oldest) echo "check-oldest-rust" ;;
    miri)
        echo "miri
            loom
            thread-sanitizer"
        ;;
    threads)
        echo "test-threads
            test-threads-in-page
            test-parallel-page"
        ;;
    fuzz) echo "fuzz 20" ;;
    *)
        echo "error: CI has no part \"$1\": it is stable, oldest, miri, threads or fuzz" >&2
        return 1
        ;;
    esac
}

make() {
    cargo make --disable-check-for-updates "$@"
}

# Says SKIPPED and returns an error where this machine lacks what the task needs and no task can install.
can_run() {
    local programs=() missing
    case $1 in
    test-browser) programs=(chromium chromedriver) ;;
    test-page | test-heap-picture) programs=(chromium) ;;
    test-threads) programs=(nightly rust-src) ;;
    test-threads-in-page | test-parallel-page) programs=(nightly rust-src chromium) ;;
    *) return 0 ;;
    esac
    if missing=$(scripts/require.sh "${programs[@]}" 2>&1); then return 0; fi
    echo "SKIPPED: $1, since ${missing#error: }"
    return 1
}

if [ $# -eq 0 ]; then set -- stable oldest miri threads; fi
tasks=()
for part in "$@"; do
    list=$(tasks_of "$part")
    while read -r task; do tasks+=("$task"); done <<<"$list"
done

# What is summed at the end are the results of this run.
rm -rf target/test-results
status=0
failed=()
tested=false
for task in "${tasks[@]}"; do
    if ! can_run "$task"; then continue; fi
    if [ "$task" = test-guest ]; then tested=true; fi
    read -r -a words <<<"$task"
    make "${words[@]}" || failed+=("$task")
done

if [ $tested = true ]; then
    summary=$(make test-summary) || failed+=(test-summary)
    echo "$summary"
    awk '/^(host|guest|matrix|browser|compare|examples): / { passed += $2; failed += $4 }
        END { print passed + 0 " passed, " failed + 0 " failed" }' <<<"$summary"
    if [[ "$summary" != *guest:* ]]; then
        echo "error: no guest test ran: see the messages of \`test-guest\` above" >&2
        status=1
    fi
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'error: %s failed: see its messages above\n' "${failed[@]}" >&2
    status=1
fi
exit $status
