#!/usr/bin/env bash
# Builds and tests the crate with the oldest Rust that it supports: the package's `rust-version` in Cargo.toml. Says
# SKIPPED where that cannot be installed.
#
# usage: scripts/check-oldest-rust.sh
# needs: rustup; SUPPORTED_TARGETS, as Makefile.toml sets it; the network, where that Rust is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/target/oldest-rust
version=$(sed -n '/^\[package\]/,/^\[features\]/ s/^rust-version = "\(.*\)"$/\1/p' Cargo.toml).0

skip() {
    echo "SKIPPED: the builds and tests with Rust $version, which cannot be installed: check the network and run" \
        "\`rustup toolchain install $version --profile minimal --target ${SUPPORTED_TARGETS// /,}\`"
    exit 0
}

if ! rustc "+$version" --version >/dev/null 2>&1; then
    rustup toolchain install "$version" --profile minimal --no-self-update || skip
fi
export RUSTUP_TOOLCHAIN=$version CARGO_TARGET_DIR=$folder
# shellcheck disable=SC2086 # The targets are words.
scripts/install-targets.sh $SUPPORTED_TARGETS || skip

echo "Rust $version: building the crate"
scripts/build-all.sh --locked
echo "Rust $version: running the tests on the host"
cargo test --locked --package freeing-bump --all-features

# As a user of the published crate has it: outside of this workspace, with its own lock file.
echo "Rust $version: building a crate that depends on the package"
rm -rf "$folder/package"
cargo package --locked --package freeing-bump --allow-dirty --no-verify
user=$(mktemp -d)
trap 'rm -rf "$user"' EXIT
mkdir "$user/src" "$user/freeing-bump"
tar -x -z -f "$folder"/package/freeing-bump-*.crate -C "$user/freeing-bump" --strip-components 1
cat >"$user/Cargo.toml" <<END
[package]
name = "user"
edition = "2024"
rust-version = "${version%.0}"

[lib]
crate-type = ["cdylib"]

[dependencies]
freeing-bump = { path = "freeing-bump" }
END
cat >"$user/src/lib.rs" <<END
#[global_allocator]
static ALLOCATOR: freeing_bump::FreeingBump = freeing_bump::FreeingBump::new();

#[unsafe(no_mangle)]
pub extern "C" fn digits(number: u32) -> usize {
    number.to_string().len()
}
END
# wasm32v1-none has no standard library for it.
for target in wasm32-unknown-unknown wasm32-wasip1; do
    cargo build --release --manifest-path "$user/Cargo.toml" --target "$target" --target-dir "$user/target"
done
