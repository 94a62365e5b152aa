#!/usr/bin/env bash
# Walks through the checklist of a release. All points are checked, even when one fails. The end names those that failed, and
# what is left to do by hand. It publishes nothing.
#
# usage: scripts/release.sh [--without-ci]
#     --without-ci leaves out .ci/run, which takes long.
# needs: what the task `release` depends on; CARGO_SEMVER_CHECKS_VERSION, as Makefile.toml sets it.
set -euo pipefail
cd "$(dirname "$0")/.."

case "$#/${1:-}" in
0/) with_ci=true ;;
1/--without-ci) with_ci=false ;;
*)
    echo "error: \"$*\" is not --without-ci" >&2
    exit 1
    ;;
esac

version=$(sed -n '/^\[workspace.package\]/,/^$/ s/^version = "\(.*\)"$/\1/p' Cargo.toml)
docs_targets=$(sed -n '/^\[package.metadata.docs.rs\]/,/^$/ s/^\(default-target\|targets\) = //p' Cargo.toml | tr -d '[]",')
failed=()

fail() {
    echo "error: $*" >&2
    return 1
}

# Runs a point of the list and keeps its name where it fails. Bash ends none of them at the first command that fails, since
# the result is asked for: hence `|| return` in them.
point() {
    local name=$1
    shift
    echo "== $name"
    "$@" || failed+=("$name")
}

everything_is_committed() {
    if [ -n "$(git status --porcelain)" ]; then
        git status --short
        fail "the files above are not committed"
    fi
}

the_changelog_has_the_version() {
    grep -q "^## $version - [0-9]\{4\}-[0-9][0-9]-[0-9][0-9]$" CHANGELOG.md ||
        fail "CHANGELOG.md has no line \"## $version - YEAR-MONTH-DAY\": put it in place of \"## Unreleased\"" || return
    if grep -q '^## Unreleased' CHANGELOG.md; then
        fail "CHANGELOG.md still has \"## Unreleased\""
    fi
}

the_readme_has_the_version() {
    grep -q "^freeing-bump = \"${version%.*}\"$" README.md ||
        fail "README.md should say \`freeing-bump = \"${version%.*}\"\`, without the remark on the time before"
}

the_package_names_its_repository() {
    grep -q '^repository = "https://' Cargo.toml ||
        fail "Cargo.toml has no \`repository\`: the links of the README would lead nowhere"
}

the_figures_are_of_this_code() {
    local commit
    # shellcheck disable=SC2016 # The backquotes are the README's.
    commit=$(sed -n 's/^Measured by `cargo make benchmarks` at commit \([0-9a-f]*\) .*/\1/p' README.md)
    if [ -z "$commit" ] || ! git diff --quiet "$commit" -- src build.rs; then
        fail "the sources have changed since the figures were measured: run \`cargo make benchmarks\`"
    fi
}

the_package_is_complete_and_small() {
    local file=${CARGO_TARGET_DIR:-target}/package/freeing-bump-$version.crate
    cargo package --package freeing-bump --allow-dirty --list || return
    cargo package --package freeing-bump --allow-dirty || return
    cargo publish --package freeing-bump --allow-dirty --dry-run --no-verify || return
    echo "$(wc -c <"$file") bytes: $file"
}

the_documentation_builds_for_each_target() {
    local target
    for target in $docs_targets; do
        echo "documentation for $target"
        RUSTDOCFLAGS="--deny warnings" cargo doc --no-deps --package freeing-bump --all-features --target "$target" ||
            return
    done
}

the_interface_fits_the_version() {
    local before target
    before=$(git tag --list 'v[0-9]*' --sort=-version:refname | head -n 1)
    if [ -z "$before" ]; then
        echo "SKIPPED: cargo-semver-checks, since no tag vMAJOR.MINOR.PATCH marks a release to compare with"
        return
    fi
    scripts/install-tool.sh cargo-semver-checks "$CARGO_SEMVER_CHECKS_VERSION" || return
    for target in x86_64-unknown-linux-gnu wasm32-unknown-unknown; do
        cargo semver-checks --package freeing-bump --all-features --baseline-rev "$before" --target "$target" || return
    done
}

point "everything is committed" everything_is_committed
point "the changelog has the version and its date" the_changelog_has_the_version
point "the README has the version" the_readme_has_the_version
point "the package names its repository" the_package_names_its_repository
point "the figures are of this code" the_figures_are_of_this_code
point "the package holds what a user needs, and compiles" the_package_is_complete_and_small
point "the documentation builds for each target of docs.rs" the_documentation_builds_for_each_target
point "the version says how the interface has changed" the_interface_fits_the_version
point "the dependencies of the tools are allowed" scripts/check-dependencies.sh
if [ $with_ci = true ]; then
    point "everything passes that must pass before a merge" .ci/run
else
    echo "SKIPPED: .ci/run"
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'error: not so: %s\n' "${failed[@]}" >&2
    exit 1
fi
cat <<END
Left to do by hand:
- read "When to use something else" in README.md beside the new figures;
- cargo publish --package freeing-bump
- git tag v$version
END
