#!/usr/bin/env bash
# Lists the tasks in groups: the `category` and the `description` of each task that is not private.
#
# usage: scripts/help.sh
# needs: cargo-make.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "usage: cargo make TASK [ARGUMENT...]"
# Groups that are not named here come last. Cargo-make counts its own empty tasks among the uninteresting ones.
cargo make --quiet --disable-check-for-updates --list-all-steps --hide-uninteresting | awk '
    BEGIN { groups = split("Tests,Checks,Looking for faults,Comparison,Examples,Set-up", order, ",") }
    /^-+$/ || NF == 0 { next }
    !/ - / {
        group = $0
        for (known = 1; known <= groups && order[known] != group; known++);
        if (known > groups) order[++groups] = group
        next
    }
    {
        description = substr($0, index($0, " - ") + 3)
        sub(/ \[aliases: .*\]$/, "", description)
        tasks[group] = tasks[group] sprintf("  %-25s %s\n", $1, description)
    }
    END {
        for (group = 1; group <= groups; group++)
            if (order[group] in tasks) printf "\n%s\n%s", order[group], tasks[order[group]]
    }
'
