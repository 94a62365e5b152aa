#!/usr/bin/env bash
# Counts the results of the last test runs. Fails when a test failed, when no test has run, and when a file of guest
# tests passed no test in a run in Node or in the browser. A test file that is empty on wasm32, or a runner that finds
# nothing, looks like success to cargo.
#
# usage: scripts/test-summary.sh
# needs: the files in target/test-results, which test.sh and test-combinations.sh write.
set -euo pipefail
cd "$(dirname "$0")/.."

shopt -s nullglob
results=(target/test-results/*.txt)
if [ ${#results[@]} -eq 0 ]; then
    echo "error: no test has run; run \`cargo make test\`" >&2
    exit 1
fi

status=0
for result in "${results[@]}"; do
    # A module that crashed has no result line: it counts as one failed test.
    awk -v run="$(basename "$result" .txt)" '
        /^running [0-9]+ tests?$/ { started++ }
        /^test result: / { finished++; passed += $4; failed += $6 }
        END {
            failed += started - finished
            print run ": " passed + 0 " passed, " failed + 0 " failed"
            exit failed > 0
        }
    ' "$result" || status=1
done

for run in guest browser; do
    result=target/test-results/$run.txt
    if [ ! -e "$result" ]; then continue; fi
    for file in guest-tests/tests/*.rs; do
        awk -v file="tests/$(basename "$file")" '
            /^ *Running tests\// { in_file = $2 == file }
            in_file && /^test result: / { passed += $4 }
            END { exit passed == 0 }
        ' "$result" || {
            echo "error: no test of $file has passed in the $run run; see $result" >&2
            status=1
        }
    done
done
exit $status
