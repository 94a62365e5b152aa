//! The targets other than wasm32-unknown-unknown: what runs there, and what is refused.

use module_checks::{ALLOCATORS, Engine, Guest, Limits, TARGET, build_allocator_module_with, cargo_build, repository};
use std::path::{Path, PathBuf};
use std::process::Output;

fn target_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Allocates, resizes and releases many blocks and checks that each keeps its bytes.
fn assert_serves(guest: &mut Guest, name: &str) {
    let mut blocks = Vec::new();
    for index in 0..300 {
        let size = 1 + index * 67 % 5_000;
        let block = guest.alloc(size, 8).expect("a request must not trap");
        assert_ne!(block, 0, "{name}");
        guest.fill(block, size, index as u8);
        blocks.push((block, size, index as u8));
    }
    for (block, size, fill) in blocks {
        assert!(guest.is_filled(block, size, fill), "{name}");
        let resized = guest.realloc(block, size, 8, 2 * size).expect("a resize must not trap");
        assert!(guest.is_filled(resized, size, fill), "{name}");
        guest.dealloc(resized, 2 * size, 8).expect("a release must not trap");
    }
    let zeroed = guest.alloc_zeroed(5_000, 8).expect("a request must not trap");
    assert!(guest.is_filled(zeroed, 5_000, 0), "{name}");
}

#[test]
fn every_allocator_serves_on_wasm32v1_none_without_imports() {
    for allocator in ALLOCATORS {
        let arguments = ["--release", "--features", allocator];
        let target_dir = target_dir(&format!("wasm32v1-none-{allocator}"));
        let module = build_allocator_module_with(&target_dir, "wasm32v1-none", &arguments);
        assert_serves(
            &mut Guest::new(Engine::Wasmtime, &module, Limits::pages(1_000)),
            allocator,
        );
    }
}

#[test]
fn every_allocator_shares_the_memory_with_the_c_library_on_wasm32_wasip1() {
    for allocator in ALLOCATORS {
        let features = format!("{allocator},libc");
        let arguments = ["--release", "--features", &features];
        let target_dir = target_dir(&format!("wasm32-wasip1-{allocator}"));
        let module = build_allocator_module_with(&target_dir, "wasm32-wasip1", &arguments);
        let mut guest = Guest::new(Engine::Wasmtime, &module, Limits::pages(1_000));
        assert_serves(&mut guest, allocator);

        let mut blocks = Vec::new();
        for index in 0..80 {
            let size = 1_000 + index * 20;
            let block = match index % 2 {
                0 => guest.alloc(size, 8),
                _ => guest.libc_malloc(size),
            };
            let block = block.expect("a request must not trap");
            assert_ne!(block, 0, "{allocator}");
            guest.fill(block, size, index as u8);
            blocks.push((block, size, index as u8));
        }
        for (block, size, fill) in blocks {
            assert!(
                guest.is_filled(block, size, fill),
                "{allocator}: the block at {block:#x} overlaps another one"
            );
        }
    }
}

#[test]
fn a_build_for_threads_is_refused_with_the_reason() {
    let flags = "target.wasm32-unknown-unknown.rustflags = ['-Ctarget-feature=+atomics,+bulk-memory']";
    let arguments = ["--features", "tiny", "--config", flags];
    let folder = repository().join("guest-tests/module");
    let output = cargo_build(&folder, TARGET, &target_dir("threads"), &arguments)
        // Only a nightly compiler tells a crate that it is built for threads; this makes the stable one do so, too.
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .expect("cargo must be there, since it has built this test");
    assert_refused(&output, "modules with one thread");
}

#[test]
fn a_build_for_threads_is_refused_by_a_compiler_that_does_not_tell_crates_of_them() {
    let folder = repository().join("guest-tests/module");
    let flags = "target.wasm32-unknown-unknown.rustflags = ['-Ctarget-feature=+bulk-memory,+atomics']";
    let builds: [(&str, &[&str]); 2] = [
        (TARGET, &["--features", "freeing-bump", "--config", flags]),
        // Refused before anything is compiled for this target, so that its standard library need not be there.
        ("wasm32-wasip1-threads", &["--features", "freeing-bump"]),
    ];
    for (target, arguments) in builds {
        let output = cargo_build(&folder, target, &target_dir("stable-threads"), arguments)
            .output()
            .expect("cargo must be there, since it has built this test");
        assert_refused(&output, "modules with one thread");
    }
}

/// Asserts that a build failed with this in its message.
fn assert_refused(output: &Output, reason: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{message}");
    assert!(message.contains(reason), "{message}");
}
