#!/usr/bin/env bash
# Builds a package for threads on wasm32-unknown-unknown. It alone knows the flags that this takes: tests, the report and the
# example all build through it. The module imports its memory as `env.memory`, which is shared and may grow to 1 GiB, and
# exports what a host needs to give each thread a stack and thread-local storage.
#
# usage: scripts/build-for-threads.sh [ARGUMENT...]
#     The arguments are those of `cargo build`. Paths in them are relative to the folder in which the script is started.
# needs: nightly Rust and its rust-src, since it compiles the standard library; the profile `speed` of the root Cargo.toml,
#     which a workspace of its own has to copy.
#
# All packages are built into target/threads, so that they share the standard library: that takes half a minute, once. The
# module is target/threads/wasm32-unknown-unknown/speed/NAME.wasm.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

"$root/scripts/require.sh" nightly rust-src

flags=(-Ctarget-feature=+atomics)
for option in --shared-memory --import-memory --max-memory=1073741824 \
    --export=__heap_base --export=__stack_pointer --export=__wasm_init_tls \
    --export=__tls_base --export=__tls_size --export=__tls_align; do
    flags+=("-Clink-arg=$option")
done
# Instead of RUSTFLAGS, which the caller may have set: all packages share one standard library.
CARGO_ENCODED_RUSTFLAGS=$(
    IFS=$'\x1f'
    echo "${flags[*]}"
)
export CARGO_ENCODED_RUSTFLAGS
exec cargo +nightly build --target wasm32-unknown-unknown -Zbuild-std=std,panic_abort --profile speed \
    --target-dir "$root/target/threads" "$@"
