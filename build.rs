//! Refuses builds for threads: stable Rust does not tell a crate of the `atomics` target feature, but tells its build script
//! of the target.

use std::env;

/// What separates the flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: char = '\x1f';

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name| env::var(name).unwrap_or_default();
    let threads = variable("TARGET").ends_with("-threads")
        || variable("CARGO_CFG_TARGET_FEATURE")
            .split(',')
            .any(|it| it == "atomics")
        || variable("CARGO_ENCODED_RUSTFLAGS")
            .split([FLAG_SEPARATOR, ',', '='])
            .any(|it| it == "+atomics");
    if variable("CARGO_CFG_TARGET_ARCH") == "wasm32" && threads {
        println!(
            "cargo::error=freeing-bump's global allocators serve modules with one thread: build for a target without \
             threads and without the `atomics` target feature, or choose an allocator with a lock (the standard library's \
             default has one)"
        );
    }
}
