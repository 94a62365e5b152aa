//! The targets other than wasm32-unknown-unknown: what runs there, and what is refused.

use module_checks::{
    ALLOCATORS, Engine, Guest, Limits, TARGET, THREADS_TARGET, build_allocator_module_with, cargo_build, repository,
};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// Whether a module names a function of the C library's own heap.
fn has_the_heap_of_the_c_library(module: &[u8]) -> bool {
    let name = b"dlmalloc";
    module.windows(name.len()).any(|bytes| bytes == name)
}

#[test]
fn with_the_feature_malloc_one_heap_serves_rust_and_the_c_library_on_wasm32_wasip1() {
    for (features, has_two_heaps) in [("freeing-bump,libc", true), ("freeing-bump,libc,malloc", false)] {
        let arguments = ["--release", "--features", features];
        let target_dir = target_dir(&format!("wasm32-wasip1-{features}"));
        let module = build_allocator_module_with(&target_dir, "wasm32-wasip1", &arguments);
        assert_eq!(has_the_heap_of_the_c_library(&module), has_two_heaps, "{features}");
        if !has_two_heaps {
            let mut guest = Guest::new(Engine::Wasmtime, &module, Limits::pages(1_000));
            assert_serves(&mut guest, features);
            for size in [1, 100, 5_000] {
                let block = guest.libc_malloc(size).expect("a request must not trap");
                assert_ne!(block, 0);
                assert_eq!(guest.dealloc(block, size, 8), Ok(()));
                let other = guest.alloc(size, 8).expect("a request must not trap");
                assert_eq!(guest.call_c("free", &[other]), Ok(0));
            }
        }
    }
}

#[test]
fn a_build_in_which_the_allocators_would_break_memory_is_refused_with_the_reason() {
    let components = "releases with the other";
    let c_library = "a C library may hand out the same memory";
    for (target, reason) in [
        ("wasm32-wasip2", "needs its feature `malloc`"),
        ("wasm32-wasip2", components),
        ("wasm32-wasip3", components),
        ("wasm32-unknown-emscripten", c_library),
        ("wasm64-unknown-unknown", "32-bit addresses"),
        (THREADS_TARGET, "needs its feature `threads`"),
    ] {
        assert_refused(target, &[], reason);
    }

    let with_malloc = ["--features", "malloc"];
    assert_refused(THREADS_TARGET, &with_malloc, "needs its feature `threads`");
    assert_refused("wasm32-unknown-emscripten", &with_malloc, c_library);

    let side_module = "modules that have their memory to themselves";
    for (flags, reason) in [
        (
            "'-Ctarget-feature=+atomics,+bulk-memory'",
            "needs its feature `threads`",
        ),
        (
            "'-Ctarget-feature=+bulk-memory,+atomics'",
            "needs its feature `threads`",
        ),
        ("'-Crelocation-model=pic'", side_module),
        ("'-C', 'relocation-model=pie'", side_module),
        ("'-Clink-arg=-shared'", side_module),
        ("'-Clink-args=--no-entry --pie'", side_module),
        ("'-Clink-arg=--page-size=1'", "pages of 64 KiB"),
    ] {
        let flags = format!("target.{TARGET}.rustflags = [{flags}]");
        assert_refused(TARGET, &["--config", &flags], reason);
    }
}

#[test]
fn a_feature_for_modules_with_one_thread_is_refused_in_a_build_for_threads() {
    for feature in ["malloc", "profile", "record", "trace", "walk"] {
        let features = format!("threads,freeing_bump/{feature}");
        assert_refused(
            THREADS_TARGET,
            &["--features", &features],
            "leave them out in a build for threads",
        );
    }
}

#[test]
fn a_build_for_threads_is_refused_where_there_is_no_standard_library() {
    let flags = "target.wasm32v1-none.rustflags = ['-Ctarget-feature=+atomics,+bulk-memory']";
    let arguments = ["--features", "threads", "--config", flags];
    assert_refused("wasm32v1-none", &arguments, "this target has no `std`");
}

#[test]
fn an_allocator_for_one_thread_does_not_compile_in_a_build_for_threads() {
    for (feature, name) in [("tiny", "TinyFreeingBump"), ("checked", "CheckedFreeingBump")] {
        let features = format!("threads,{feature}");
        let folder = repository().join("guest-tests/modules/allocator");
        let output = cargo_build(
            &folder,
            THREADS_TARGET,
            &target_dir("refused"),
            &["--features", &features],
        )
        .output()
        .expect("cargo must be there, since it has built this test");
        let message = String::from_utf8_lossy(&output.stderr);
        let reason = format!("{name} serves modules with one thread: in a build for threads, use FreeingBump");
        assert!(!output.status.success(), "{feature}");
        assert!(message.contains(&reason), "{feature}: {message}");
    }
}

#[test]
fn every_wasm_target_that_the_compiler_knows_is_supported_or_refused() {
    let output = rustc(&["--print", "target-list"]);
    let targets = String::from_utf8(output.stdout).expect("names of targets are text");
    let others = targets
        .lines()
        .filter(|target| target.starts_with("wasm"))
        .filter(|target| !["wasm32-unknown-unknown", "wasm32v1-none", "wasm32-wasip1"].contains(target));
    assert!(others.clone().count() >= 5, "{targets}");
    for target in others {
        assert_refused(target, &[], "freeing-bump ");
    }
}

#[test]
fn the_crate_does_not_compile_for_wasm32_where_its_build_script_has_not_run() {
    let source = repository().join("src/lib.rs");
    let metadata = target_dir("without-build-script.rmeta");
    let arguments = [
        "--edition=2024",
        "--crate-type=lib",
        "--emit=metadata",
        "--target",
        TARGET,
    ];
    let paths = [source.to_str(), Some("-o"), metadata.to_str()].map(|path| path.expect("a path of Unicode"));
    let output = rustc(&[&arguments[..], &paths[..]].concat());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains("build script"), "{message}");
}

fn rustc(arguments: &[&str]) -> Output {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(arguments)
        .output()
        .expect("rustc must be there, since it has compiled this test")
}

/// Asserts that the crate's build script ends a build for this target with `reason` in its message. Nothing is compiled
/// for the target before, so its standard library need not be installed.
fn assert_refused(target: &str, arguments: &[&str], reason: &str) {
    let arguments = [&["--features", "freeing-bump"], arguments].concat();
    let folder = repository().join("guest-tests/modules/allocator");
    let output = cargo_build(&folder, target, &target_dir("refused"), &arguments)
        .output()
        .expect("cargo must be there, since it has built this test");
    let message = String::from_utf8_lossy(&output.stderr);
    let refusal = message.lines().find(|line| line.starts_with("error: freeing-bump@"));
    assert!(!output.status.success(), "{target} {arguments:?}");
    assert!(
        refusal.is_some_and(|line| line.contains(reason)),
        "{target} {arguments:?}: {message}"
    );
}
